"""Fill in what the benchmark does not know with an ensemble of surrogates."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.figures import write_csv
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.space.complexity import CIFAR10_NETWORK
from terranas.space.reading import read_space
from terranas.space.searchable import CellSpace
from terranas.surrogates.benchmark import complete_benchmark
from terranas.surrogates.regressors import RegressorSettings


def main(snakemake: Any) -> None:
    files, ensemble = dict(snakemake.input.items()), snakemake.params.ensemble
    space = read_space(files)
    settings = RegressorSettings(**snakemake.params.regressor)
    # NAS-Bench-101's own files are about the published network, all other tables about the study's
    network = CIFAR10_NETWORK if snakemake.wildcards.benchmark == "nasbench101" else None
    filled = complete_benchmark(
        TabularBenchmark.open(files["table"], dataset=snakemake.params.searched["dataset"]),
        space.names,
        space.encode(settings.encoding),
        snakemake.params.searched["objectives"],
        settings=settings,
        members=ensemble["ensemble"],
        max_training=ensemble["ensemble_sample"],
        computed=space.costs(network) if isinstance(space, CellSpace) else {},
        seed=ensemble["seed"],
    )
    write_table(filled.table, snakemake.output.table, filled.schema, filled.facts)
    write_csv(filled.calibration, snakemake.output.calibration)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
