"""Measure the architectures of one session on one device."""

from pathlib import Path
from typing import Any

from terranas.core.files import sha256_file
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.profiling.devices import open_device
from terranas.profiling.measurement import Workbench
from terranas.profiling.schema import MEASUREMENTS, SAMPLES, SIZES
from terranas.profiling.session import measure_session
from terranas.profiling.settings import Settings
from terranas.profiling.store import RecordStore
from terranas.sampling.architectures import list_key
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape


def main(snakemake: Any) -> None:
    params, wildcards, output = snakemake.params, snakemake.wildcards, snakemake.output
    cells = {member["hash"]: Cell.from_strings(member["adjacency"], member["operations"]) for member in params.members}
    settings = Settings.of_config(params.settings)
    shape = NetworkShape(**params.image, **params.network)
    files = [Path(path) for path in snakemake.input.weights]
    weights = dict(zip(cells, files, strict=True)) if settings.weights == "trained" else {}
    device = open_device(wildcards.device, settings.threads, params.backend)
    decisive = [list(cells), params.image, params.network, dict(params.settings), params.seed, params.numerics]
    key = list_key(*decisive, [sha256_file(path) for path in files], device.kind, device.name)
    store = RecordStore(Path(params.state) / "_state" / key / wildcards.session)
    with Workbench(device, shape, settings, params.seed, weights) as workbench:
        result = measure_session(cells, workbench, settings, int(wildcards.session), device, store)
    tables, descriptions = result.tables, {"descriptions": result.descriptions}
    write_table(tables.sizes, output.sizes, SIZES)
    write_table(tables.samples, output.samples, SAMPLES)
    write_table(tables.measurements, output.measurements, MEASUREMENTS, descriptions)
    store.clear()


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
