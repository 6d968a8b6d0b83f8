"""Fetch one public file and write the receipt of it."""

from typing import Any

from terranas.core.files import write_json
from terranas.core.script import run_script
from terranas.data.download import fetch
from terranas.data.receipts import file_of
from terranas.data.sources import Source


def main(snakemake: Any) -> None:
    source = Source.model_validate(snakemake.params.source)
    receipt = fetch(source, file_of(snakemake.output.receipt))
    write_json(snakemake.output.receipt, receipt | {"state": snakemake.params.state})


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
