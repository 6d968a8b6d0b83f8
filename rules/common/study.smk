"""The study's checked settings, and what the rules of several stages share. No rule stands here."""

import signal
import sys
from pathlib import Path

from snakemake.utils import update_config

from terranas.benchmark.precheck import check_published
from terranas.config import load_config, typed
from terranas.core.errors import TerranasError
from terranas.core.files import sha256_file
from terranas.core.fingerprint import fingerprint
from terranas.core.page import page_digest
from terranas.core.script import offer_checkout
from terranas.data import NUMERICS_VERSION as DATA_NUMERICS
from terranas.data.layout import SPLITS
from terranas.data.precheck import PREPARATION_MB, check_source, source_files, source_path
from terranas.report.shell import shell_digest
from terranas.surrogates.regressors import check_parameters

ROOT = Path(workflow.basedir)
# scripts import the library of this checkout, in whatever environment a job runs
offer_checkout(ROOT)
if not workflow.is_main_process:
    # Slurm announces the end of a job's time to all its processes; a training saves itself, and the snakemake around it
    # must live on (ignoring is inherited until a process sets a handler of its own)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
FIGURE_FORMATS = ("png", "pdf", "svg", "csv")


def checked_study():
    """Return the configuration, checked before anything runs."""
    try:
        update_config(config, typed(workflow.config_settings.config))
        study = load_config(config)
        check_source(study.data)
        check_published(study.benchmark)
        if workflow.is_main_process:  # loads the regressor's library, which would cost every job a second
            check_parameters(study.surrogates.regressor, study.surrogates.parameters)
        return study
    except TerranasError as error:
        sys.exit(f"terranas: {error}")


STUDY = checked_study()
RESULTS = STUDY.results_dir.rstrip("/")
# scripts see the checked settings with their defaults, not what was typed
config.clear()
config.update(STUDY.model_dump(mode="json"))


def settings(section, *names):
    """Return the named settings of a section (all if none is named) as plain built-ins, fit for `params`.

    Snakemake compares the values of params without their names, so that two numbers of one rule that change places
    would go unnoticed; a dictionary keeps the names.
    """
    content = getattr(STUDY, section).model_dump(mode="json")
    return {name: content[name] for name in names} if names else content


def code(script):
    """Return the fingerprint of a workflow script and all it imports."""
    return fingerprint(ROOT / "workflow_scripts" / script)


def escalating(base):
    """Return a resource function that multiplies `base` by the attempt, so that a retry gets more."""

    def resource(wildcards, attempt):
        return base * attempt

    return resource


def gpus(section):
    """Return how many GPUs a job of the training or profiling stage uses."""
    if getattr(STUDY, section).device == "cpu":
        return 0
    return STUDY.training.processes if section == "training" else 1


def figure_report(stem, caption, category, content):
    """Return the output files of a figure by format; its PNG goes into Snakemake's report."""
    files = {kind: f"{RESULTS}/{stem}.{kind}" for kind in FIGURE_FORMATS}
    labels = {"content": content, "kind": "figure"}
    return files | {"png": report(files["png"], caption=caption, category=category, labels=labels)}


def alone(threads):
    """Return the threads of a job that must not share this machine: all where snakemake runs jobs here, else `threads`.

    A cluster has other means: GPUs are given to one job each, and slurm/config.yaml asks for whole nodes to measure on.
    """
    return workflow.cores if workflow.nodes is None else threads


def image_shape():
    """Return the image shape that the networks are built for."""
    return {"bands": STUDY.data.bands, "classes": STUDY.data.classes, "image_size": STUDY.data.image_size}


def images_path(wildcards, input):
    """Return the file or folder that the images are read from."""
    return str(Path(input.raw[0]).parent if STUDY.data.source == "synthetic" else source_path(STUDY.data))


def data_settings():
    """Return the settings that the prepared arrays depend on: only those of the chosen source."""
    chosen = settings("data", "source", "not_finite", "storage")
    if not STUDY.data.in_so2sat_layout:
        reader = sha256_file(STUDY.data.reader) if STUDY.data.reader else None
        return chosen | settings("data", "images", "reader") | {"seed": STUDY.seed, "reader_content": reader}
    seed = STUDY.seed if STUDY.data.split == "random" else None
    return chosen | settings("data", "sensors", "split") | {"seed": seed}
