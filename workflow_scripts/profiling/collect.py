"""Put what the sessions measured together: a record an architecture and device, and one a condition."""

from typing import Any

import pandas as pd

from terranas.core.script import run_script
from terranas.core.tables import read_attributes, read_table, write_table
from terranas.profiling.collect import collect
from terranas.profiling.schema import CONDITIONS, MEASUREMENTS, PROFILES, SAMPLES, SIZES


def main(snakemake: Any) -> None:
    paths, output = snakemake.input, snakemake.output
    collected = collect(
        pd.concat([read_table(path, MEASUREMENTS) for path in paths.measurements]),
        pd.concat([read_table(path, SAMPLES) for path in paths.samples]),
        pd.concat([read_table(path, SIZES) for path in paths.sizes]),
        [entry for path in paths.measurements for entry in read_attributes(path)["descriptions"]],
        snakemake.params.settings,
    )
    write_table(collected.conditions, output.conditions, CONDITIONS)
    write_table(collected.profiles, output.profiles, PROFILES)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
