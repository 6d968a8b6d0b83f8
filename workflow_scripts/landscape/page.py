"""Write the page of the landscape analysis."""

from pathlib import Path
from typing import Any

from terranas.core.files import write_text
from terranas.core.page import page_template, render
from terranas.core.script import run_script
from terranas.landscape.page import landscape_page, read_figures


def main(snakemake: Any) -> None:
    params = snakemake.params
    figures = {name: read_figures(Path(path)) for name, path in zip(params.groups, snakemake.input.words, strict=True)}
    page = landscape_page(figures, params.tables, params.title)
    write_text(snakemake.output.page, render(page, page_template()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
