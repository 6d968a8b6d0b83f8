"""Train one architecture, or write its failure row where its failure was accepted."""

from typing import Any

import terranas.training.architecture
from terranas.core.fingerprint import fingerprint
from terranas.core.script import run_script
from terranas.core.tables import write_table
from terranas.training.architecture import (
    PreparedImages,
    build_job,
    collect_packed,
    leave,
    record_of,
    train_architecture,
)
from terranas.training.checkpoint import save_weights
from terranas.training.deadline import Stop
from terranas.training.result import given_up
from terranas.training.schema import CLASS_ACCURACIES, CONFUSIONS, EPOCHS
from terranas.training.status import write_status


def main(snakemake: Any) -> None:
    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
    images = PreparedImages.of_files(inputs)
    settings = params.settings | {"seed": params.seed, "state": params.state}
    job = build_job(params.cell, settings, snakemake.config["campaign"], images, snakemake.resources.nodes)
    if params.accepted:
        result = given_up(params.accepted)
    elif inputs.pack:
        result = collect_packed(job, inputs.pack[0])
    else:
        stop = Stop(job.deadline)
        stop.listen()
        result = train_architecture(job, stop)
    if result.interrupted:
        leave([job], result.interrupted)
    facts = {"hash": job.cell.hash, "source": images.manifest["source"]}
    for name, schema, rows in (
        ("metrics", EPOCHS, result.rows),
        ("classes", CLASS_ACCURACIES, result.class_rows),
        ("confusion", CONFUSIONS, result.confusions),
    ):
        write_table(schema.from_rows([facts | row for row in rows]), outputs[name], schema)
    save_weights(result.weights, outputs.weights)
    save_weights(result.best_weights, outputs.best_weights)
    code = fingerprint(terranas.training.architecture.__file__)
    write_status(record_of(result, job, code), outputs.status)


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
