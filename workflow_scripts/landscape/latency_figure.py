"""Draw latency against multiply-accumulates or parameters."""

from typing import Any

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import save_figure
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.landscape.figures import latency_against


def main(snakemake: Any) -> None:
    table = read_table(snakemake.input.table, BENCHMARK)
    with latency_against(table, TabularBenchmark(table), snakemake.params.axis) as (drawn, numbers):
        save_figure(drawn, dict(snakemake.output.items()), numbers)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
