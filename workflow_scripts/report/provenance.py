"""Write the effective configuration and the versions of the software."""

from typing import Any

from terranas.core.files import write_json, write_text
from terranas.core.script import run_script
from terranas.report.provenance import config_yaml, software_versions


def main(snakemake: Any) -> None:
    write_text(snakemake.output.config, config_yaml(snakemake.params.config))
    write_json(snakemake.output.software, software_versions())


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
