"""Write the page that shows what came out of the study."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.study import read_study
from terranas.core.files import read_json, write_text
from terranas.core.page import page_template
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape.page import read_figures
from terranas.landscape.schema import RUGGEDNESS
from terranas.report.content import StudyResults
from terranas.report.page import render_page
from terranas.sampling.schema import WALKS
from terranas.space.schema import CELLS
from terranas.surrogates.schema import PREDICTED_FRONTS, SCORES
from terranas.training.status import read_status


def main(snakemake: Any) -> None:
    given = snakemake.input
    searched = TabularBenchmark.open(given.searched_table, dataset=snakemake.params.dataset)
    config_text = Path(given.config).read_text(encoding="utf-8")
    results = StudyResults(
        config=yaml.safe_load(config_text),
        config_text=config_text,
        software=read_json(given.software),
        manifest=read_json(given.manifest),
        cells=read_table(given.cells, CELLS),
        graphs=[read_json(path) for path in given.graphs],
        walks=read_table(given.walks, WALKS),
        class_counts=read_table(given.class_counts, CLASS_COUNTS),
        table=read_table(given.table, BENCHMARK),
        validations={Path(path).name.removesuffix(".validation.json"): read_json(path) for path in given.validations},
        failures=[status for status in map(read_status, given.statuses) if status.outcome != "ok"],
        accuracy_summary=pd.read_csv(given.accuracy_summary),
        ruggedness=read_table(given.ruggedness, RUGGEDNESS),
        scores=read_table(given.scores, SCORES),
        predicted=read_table(given.predicted, PREDICTED_FRONTS),
        searched=searched,
        searches=read_study(dict(given.items()), given.runs, searched, **snakemake.params.study),
    )
    figures = {Path(path).stem: Path(path).read_bytes() for path in given.figures}
    searches = [picture for path in given.words for picture in read_figures(Path(path))]
    write_text(snakemake.output.page, render_page(results, figures, searches, page_template()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
