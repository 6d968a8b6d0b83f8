"""Train one architecture, or write its failure row where its failure was accepted."""

from typing import Any

import torch

import terranas.training.job
from terranas.core.files import atomic_path, read_json
from terranas.core.fingerprint import fingerprint
from terranas.core.script import run_script
from terranas.core.tables import read_table, write_table
from terranas.data.schema import BAND_STATISTICS
from terranas.training.job import TrainingJob, given_up, run_job, status_of
from terranas.training.schema import EPOCHS
from terranas.training.status import write_status


def main(snakemake: Any) -> None:
    params, architecture = snakemake.params, snakemake.wildcards.hash
    manifest = read_json(snakemake.input.manifest)
    statistics = read_table(snakemake.input.statistics, BAND_STATISTICS).query("split == 'train'").sort_values("band")
    job = TrainingJob(
        **params.cell,
        network=params.network,
        recipe=params.recipe | {"checkpoint_every": snakemake.config["training"]["checkpoint_every"]},
        seed=params.seed,
        manifest=manifest,
        arrays={name: path for name, path in snakemake.input.items() if name.endswith(("_images", "_labels"))},
        mean=statistics["mean"].tolist(),
        std=statistics["std"].tolist(),
        state=params.state,
    )
    result = given_up(params.accepted) if params.accepted else run_job(job)
    rows = [{"hash": architecture, "source": manifest["source"]} | row for row in result.rows]
    write_table(EPOCHS.from_rows(rows), snakemake.output.metrics, EPOCHS)
    with atomic_path(snakemake.output.weights) as temporary, temporary.open("wb") as file:
        torch.save(result.weights, file)
    code = fingerprint(terranas.training.job.__file__)
    write_status(status_of(result, architecture, job.recipe["processes"], code), snakemake.output.status)
    if not params.accepted:
        job.checkpoint().finish()


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
