"""Train several architectures side by side, one GPU each; the rule of each collects its result."""

from typing import Any

from terranas.core.files import write_json
from terranas.core.script import run_script
from terranas.training.architecture import PreparedImages, build_job, leave
from terranas.training.deadline import Stop
from terranas.training.pack import INTERRUPTED, run_pack


def main(snakemake: Any) -> None:
    params = snakemake.params
    images, campaign = PreparedImages.of_files(snakemake.input), snakemake.config["campaign"]
    settings = params.settings | {"seed": params.seed, "state": params.state}
    jobs = [build_job(cell, settings, campaign, images) for cell in params.members]
    stop = Stop(jobs[0].deadline)
    stop.listen()
    outcomes = run_pack(jobs, stop=stop)
    if cut := [job for job in jobs if outcomes[job.cell.hash] == INTERRUPTED]:
        leave(cut, stop.reason() or "time limit")
    write_json(snakemake.output.receipt, outcomes)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
