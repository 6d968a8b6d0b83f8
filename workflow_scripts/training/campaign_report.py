"""Write where the trainings of a study stand, as a page and as a table."""

from pathlib import Path
from typing import Any

from terranas.core.figures import write_csv
from terranas.core.files import write_text
from terranas.core.page import page_template, render
from terranas.core.script import run_script
from terranas.training.campaign_page import campaign_page
from terranas.training.campaign_report import Expected, trainings_table
from terranas.training.campaign_resume import Study


def main(snakemake: Any) -> None:
    params = snakemake.params
    expected = {name: Expected(*numbers) for name, numbers in params.expected.items()}
    campaign = Study.of_settings(params.study).look()
    page = campaign_page(campaign, expected, params.study, params.disk_bytes)
    folder = Path(params.folder)
    write_csv(trainings_table(campaign, expected), folder / "trainings.csv")
    write_text(folder / "index.html", render(page, page_template()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
