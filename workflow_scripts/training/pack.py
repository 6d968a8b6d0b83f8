"""Train several architectures side by side, one GPU each; the rule of each collects its result."""

from typing import Any

from terranas.core.files import read_json, write_json
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.data.schema import BAND_STATISTICS, CLASS_COUNTS
from terranas.training.architecture import build_job, leave
from terranas.training.deadline import Stop
from terranas.training.pack import INTERRUPTED, run_pack


def main(snakemake: Any) -> None:
    params, inputs = snakemake.params, snakemake.input
    manifest, campaign = read_json(inputs.manifest), snakemake.config["campaign"]
    tables = read_table(inputs.statistics, BAND_STATISTICS), read_table(inputs.class_counts, CLASS_COUNTS)
    arrays = {name: path for name, path in inputs.items() if name.endswith(("_images", "_labels"))}
    settings = params.settings | {"seed": params.seed, "state": params.state}
    jobs = [build_job(cell, settings, campaign, manifest, *tables, arrays) for cell in params.members]
    stop = Stop(jobs[0].deadline)
    stop.listen()
    outcomes = run_pack(jobs, stop=stop)
    if cut := [job for job in jobs if outcomes[job.cell.hash] == INTERRUPTED]:
        leave(cut, stop.reason() or "time limit")
    write_json(snakemake.output.receipt, outcomes)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
