"""Write the page of a device and the list of its flagged records."""

from pathlib import Path
from typing import Any

import pandas as pd

from terranas.core.figures import write_csv
from terranas.core.files import write_text
from terranas.core.page import page_template, render
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.profiling.findings import flagged
from terranas.profiling.report import device_page
from terranas.profiling.schema import CONDITIONS, MEASUREMENTS, PROFILES


def main(snakemake: Any) -> None:
    given, output = snakemake.input, snakemake.output
    profiles = read_table(given.profiles, PROFILES)
    conditions = read_table(given.conditions, CONDITIONS)
    measurements = pd.concat([read_table(path, MEASUREMENTS) for path in given.measurements], ignore_index=True)
    page = device_page(profiles, conditions, measurements, snakemake.params.title, Path(output.flagged).name)
    write_csv(flagged(conditions), output.flagged)
    write_text(output.page, render(page, page_template()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
