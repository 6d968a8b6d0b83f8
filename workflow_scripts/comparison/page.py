"""Write the page on the searches."""

from pathlib import Path
from typing import Any

import pandas as pd

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.page import comparison_page
from terranas.comparison.study import read_study
from terranas.core.files import write_text
from terranas.core.page import page_template, render
from terranas.core.script import run_script
from terranas.landscape.page import read_figures


def main(snakemake: Any) -> None:
    given, params = snakemake.input, snakemake.params
    benchmark = TabularBenchmark.open(given.table, dataset=params.dataset)
    page = comparison_page(
        read_study(dict(given.items()), given.runs, benchmark, **params.study),
        [picture for path in given.words for picture in read_figures(Path(path))],
        pd.read_csv(given.plateau),
        pd.read_csv(given.calibration[0]) if given.calibration else None,
        title=params.title,
        synthetic=params.synthetic,
    )
    write_text(snakemake.output.page, render(page, page_template()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
