"""Put the sessions' profiles into one table."""

from typing import Any

import pandas as pd

from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.profiling.schema import PROFILES


def main(snakemake: Any) -> None:
    sessions = [read_table(path, PROFILES) for path in snakemake.input.sessions]
    table = pd.concat(sessions).sort_values(["hash", "device"], ignore_index=True)
    write_table(table, snakemake.output.profiles, PROFILES)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
