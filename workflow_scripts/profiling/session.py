"""Measure the architectures of one session on one device."""

import json
from pathlib import Path
from typing import Any

from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.profiling.devices import open_device
from terranas.profiling.protocol import QuickProtocol
from terranas.profiling.schema import PROFILES
from terranas.profiling.session import RecordStore, measure_session
from terranas.sampling.architectures import list_key
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape


def main(snakemake: Any) -> None:
    params, wildcards = snakemake.params, snakemake.wildcards
    cells = {member["hash"]: Cell.from_strings(member["adjacency"], member["operations"]) for member in params.members}
    settings = dict(params.protocol)
    shape = NetworkShape(**params.image, **params.network)
    protocol = QuickProtocol(settings["batch_size"], settings["warmup_runs"], settings["timed_runs"])
    device = open_device(wildcards.device, settings["threads"])
    session = {
        "device": device.kind,
        "device_name": device.name,
        "description": json.dumps(device.describe(), sort_keys=True),
        "protocol": settings["protocol"],
        "batch_size": settings["batch_size"],
        "threads": settings["threads"],
        "session": int(wildcards.session),
    }
    decisive = [list(cells), params.image, params.network, settings, params.seed, params.numerics]
    key = list_key(*decisive, device.kind, device.name)
    store = RecordStore(Path(params.state) / "_state" / key / wildcards.session)
    table = measure_session(
        list(cells), lambda member: protocol.measure(cells[member], shape, device, params.seed), session, store
    )
    write_table(table, snakemake.output.records, PROFILES)
    store.clear()


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
