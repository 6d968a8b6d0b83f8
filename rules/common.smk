"""Functions and constants that the rules share. No rule stands here."""

import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import yaml
from snakemake.utils import update_config

from terranas import LAYOUT_VERSION
from terranas.config import load_config, typed
from terranas.config.inputs import PUBLISHED_IMAGE, PUBLISHED_NETWORK, WHOLE_SPACE
from terranas.core.errors import ConfigError, TerranasError
from terranas.core.files import read_json, require_free_space, sha256_file
from terranas.core.fingerprint import fingerprint
from terranas.core.randomness import generator
from terranas.core.script import offer_checkout
from terranas.data import NUMERICS_VERSION as DATA_NUMERICS
from terranas.data.layout import SPLITS
from terranas.data.precheck import (
    PREPARATION_MB,
    check_source,
    estimate_disk_use,
    expected_images,
    source_files,
    source_path,
)
from terranas.profiling import NUMERICS_VERSION as PROFILING_NUMERICS
from terranas.sampling.architectures import list_key, read_architectures
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs
from terranas.training import NUMERICS_VERSION as TRAINING_NUMERICS
from terranas.training.acceptance import read_accepted
from terranas.training.campaign_run import announce, announced, withdraw
from terranas.training.estimate import estimate, resources_of

ROOT = Path(workflow.basedir)
# scripts import the library of this checkout, in whatever environment a job runs
offer_checkout(ROOT)
if not workflow.is_main_process:
    # Slurm announces the end of a job's time to all its processes; a training saves itself, and the snakemake around it
    # must live on (ignoring is inherited until a process sets a handler of its own)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
ARMS = ("surrogate", "random")
FIGURE_FORMATS = ("png", "pdf", "svg", "csv")


# what the folders of published tables hold; all others are single files
FILES_OF_TABLES = {
    "eo_hwnas": {
        "walks": "path_logs.json",
        "tests": "test_results_sampled_all_paths.json",
        "macro": "database_pickle_macro.pickle",
        "micro": "database_pickle_micro.pickle",
        "latency": "database_pickle_latency.pickle",
        "macs": "database_pickle_MACs.pickle",
    },
    "ec_nas": {"four": "energy_4V9E.csv", "five": "energy_5V9E.csv"},
    "transnas_bench101": {
        "macro": "transbench101_macro_val_accuracy.csv",
        "micro": "transbench101_micro_val_accuracy.csv",
    },
}


def check_published(section):
    """Check that the published tables are where the configuration says."""
    for name, place in section.model_dump(exclude={"disagreement"}, exclude_none=True).items():
        kind = "folder" if name in FILES_OF_TABLES else "file"
        advice = "docs/tables.md says where each table comes from."
        if name == "nasbench101":
            advice += " `snakemake download` fetches NAS-Bench-101's files."
        if not (Path(place).is_dir() if kind == "folder" else Path(place).is_file()):
            raise ConfigError(
                f"benchmark.{name} is '{place}', but there is no such {kind}. Looked for {Path(place).absolute()}. "
                f"{advice}"
            )
        files = FILES_OF_TABLES.get(name, {}).values()
        if missing := [file for file in files if not (Path(place) / file).is_file()]:
            raise ConfigError(
                f"benchmark.{name} is the folder '{place}', which lacks {', '.join(missing)}; expected "
                f"{', '.join(files)}. {advice}"
            )


def checked_study():
    """Return the configuration, checked before anything runs."""
    try:
        update_config(config, typed(workflow.config_settings.config))
        study = load_config(config)
        check_source(study.data)
        check_published(study.benchmark)
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


def training_threads():
    """Return the threads of a training; with GPUs, of which this machine's are not counted, it runs alone."""
    threads = STUDY.training.processes * STUDY.training.threads
    return alone(threads) if gpus("training") else threads


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


# --- the list of architectures to train ------------------------------------------------------------------------------
# Which jobs there are depends on a file that the sampling stage makes. It is read here, while the workflow is parsed,
# so that a dry run shows every training. Where it is missing or belongs to other settings, it is made first, by a
# snakemake call of its own on that one target.

SAMPLING_CODE = {
    name: code(name)
    for name in ("space/cells.py", "space/neighbours.py", "sampling/walks.py", "sampling/architectures.py")
}
ARCHITECTURE_LIST = f"{RESULTS}/sampling/architectures.csv"
ARCHITECTURE_KEY = list_key(LAYOUT_VERSION, STUDY.seed, settings("space"), settings("sampling"), SAMPLING_CODE)
# calls that only look at or mend the workflow's state must work without the list
NO_LIST_NEEDED = {"--unlock", "--lint", "--cleanup-metadata", "--list-rules", "--list", "-l"}
DRY_RUN = {"-n", "--dry-run", "--dryrun", "-np", "-nq"}


def make_architecture_list(results):
    """Run snakemake on the architecture list alone, on this machine; return the list's path below `results`."""
    path = f"{results}/sampling/architectures.csv"
    print(f"terranas: making the list of architectures, {path}", file=sys.stderr)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as effective:
        yaml.safe_dump(STUDY.model_dump(mode="json") | {"results_dir": results}, effective)
        effective.flush()
        command = [sys.executable, "-m", "snakemake", path]
        command += ["--snakefile", str(ROOT / "Snakefile"), "--configfile", effective.name]
        command += ["--cores", "1", "--executor", "local", "--quiet", "reason"]
        # a look from a temporary folder may happen while the study runs
        command += ["--nolock"] if results != RESULTS else []
        done = subprocess.run(command, env=os.environ | {"TERRANAS_MAKES_LIST": "1"}, stdout=sys.stderr)
    if done.returncode:
        sys.exit("terranas: the list of architectures could not be made (see above); nothing else was started.")
    return path


def made_architectures():
    """Make the list and return what it holds."""
    if not DRY_RUN & set(sys.argv):  # looking needs no room
        require_free_space(RESULTS, estimate_disk_use(STUDY))
    if DRY_RUN & set(sys.argv) and Path(ARCHITECTURE_LIST).exists():
        # the list belongs to other settings, with which the study may be finished: looking must not change that
        with tempfile.TemporaryDirectory(prefix="terranas.") as elsewhere:
            return read_architectures(make_architecture_list(elsewhere), ARCHITECTURE_KEY)
    return read_architectures(make_architecture_list(RESULTS), ARCHITECTURE_KEY)


def architectures_to_train():
    """Return the architectures to train by hash, making their list where it is missing or out of date."""
    if "TERRANAS_MAKES_LIST" in os.environ or NO_LIST_NEEDED & set(sys.argv):
        return {}
    try:
        listed = read_architectures(ARCHITECTURE_LIST, ARCHITECTURE_KEY)
        if listed is None and workflow.is_main_process:
            listed = made_architectures()
        if listed is not None and STUDY.search.benchmark == "study":
            STUDY.require_architectures(len(listed))
    except (TerranasError, ValueError) as error:
        sys.exit(f"terranas: {error}")
    if listed is None and not workflow.is_main_process:
        sys.exit(f"terranas: this node does not see {ARCHITECTURE_LIST} yet; the next attempt reads it.")
    if listed is None:
        sys.exit(f"terranas: {ARCHITECTURE_LIST} was made but does not belong to these settings; please report this.")
    return {architecture.hash: architecture for architecture in listed}


def accepted_failures():
    """Return the reasons of trainings whose failure was accepted by hand, by architecture."""
    try:
        return read_accepted(f"{RESULTS}/training/accepted.json")
    except TerranasError as error:
        sys.exit(f"terranas: {error}")


ARCHITECTURES = architectures_to_train()
ACCEPTED = accepted_failures()


def training_recipe():
    """Return the settings that decide a training's numbers; the recipe's name is none, its values are.

    The section `campaign` decides none; scripts read it from `snakemake.config`, which triggers no rerun.
    """
    recipe = settings("training")
    del recipe["recipe"]
    return recipe


def cell_of(wildcards):
    """Return adjacency and operations of a job's architecture."""
    return member_of(wildcards.hash, "adjacency", "operations")


def member_of(architecture, *names):
    """Return the named facts of an architecture to train."""
    return {name: getattr(ARCHITECTURES[architecture], name) for name in names}


def accepted_reason(wildcards):
    """Return why a failed training was accepted by hand, or an empty text."""
    return ACCEPTED.get(wildcards.hash, "")


# --- what a training is expected to take -----------------------------------------------------------------------------


# an own reader tells how many images there are only when it reads them
UNKNOWN_IMAGES = {"train": 100_000, "validation": 20_000, "test": 20_000}
STORED_BYTES = {"uint8": 1, "uint16": 2, "float16": 2, "float32": 4}
MANIFEST = Path(RESULTS, "data", "manifest.json")


@cache
def prepared_images(changed):
    """Return images a split and bytes of a stored value of the arrays, whose manifest changed at a time."""
    manifest = read_json(MANIFEST)
    splits = {split: manifest["splits"][split]["images"] for split in SPLITS}
    return splits, STORED_BYTES[manifest["storage"]["dtype"]]


@cache
def images_in_headers():
    """Return images a split as headers tell, and bytes of a stored value at most."""
    return expected_images(STUDY.data) or UNKNOWN_IMAGES, STORED_BYTES.get(STUDY.data.storage, 4)


@cache
def network_of(architecture):
    """Return cell and shape of an architecture's network."""
    cell = Cell.from_strings(**member_of(architecture, "adjacency", "operations"))
    return cell, NetworkShape(**image_shape(), **settings("network"))


def expected(architecture):
    """Return what the training of an architecture is expected to take, by the images known so far."""
    known = prepared_images(MANIFEST.stat().st_mtime_ns) if MANIFEST.is_file() else images_in_headers()
    return estimate(*network_of(architecture), settings("training"), *known)


def expected_of_all(wildcards):
    """Return what each training is expected to take: seconds, memory of the machine and of a GPU, by architecture."""
    found = {name: expected(name) for name in ARCHITECTURES}
    return {name: [one.seconds, one.host_mb, one.device_mb] for name, one in found.items()}


def training_resource(name):
    """Return a resource function: what the estimate says, times the attempt."""

    def resource(wildcards, attempt):
        return resources_of([expected(wildcards.hash)])[name] * attempt

    return resource


# --- several architectures in one job --------------------------------------------------------------------------------


def packs():
    """Return the architectures of each pack; those that take equally long stand together, so that none waits long.

    By MACs and not by the estimates, which become better once the images are prepared: packs must stay what they are.
    Hence, too, a failure that is accepted leaves a gap in its pack and does not move the others.
    """
    size = STUDY.campaign.pack
    if size == 1:
        return []
    order = sorted(ARCHITECTURES, key=lambda member: (macs(*network_of(member)), member))
    whole = [order[start : start + size] for start in range(0, len(order), size)]
    return [[member for member in pack if member not in ACCEPTED] for pack in whole]


def pack_members(wildcards):
    """Return adjacency and operations of a pack's architectures."""
    return [member_of(member, "adjacency", "operations") for member in PACKS[int(wildcards.pack)]]


def pack_resource(name):
    """Return a resource function: what the estimates of a pack's architectures say, times the attempt."""

    def resource(wildcards, attempt):
        return resources_of([expected(member) for member in PACKS[int(wildcards.pack)]])[name] * attempt

    return resource


def pack_of(wildcards):
    """Return the receipt of the pack that trains an architecture; nothing where each has a job of its own."""
    members = [number for number, pack in enumerate(PACKS) if wildcards.hash in pack]
    return [f"{RESULTS}/training/_packs/{number}.json" for number in members]


def forget_unfinished_packs():
    """Remove the receipts of packs that left a training unfinished, so that this run goes on with it.

    Not earlier: as long as a run lasts, its other trainings and their retries are collected by the same receipt.
    """
    if not workflow.is_main_process or (DRY_RUN | NO_LIST_NEEDED) & set(sys.argv):
        return
    main = announced(RESULTS)
    if main is not None and main.process.is_gone() is not True:
        return  # that run needs them, and this one ends at its lock
    for receipt in Path(RESULTS, "training", "_packs").glob("*.json"):
        outcomes = read_json(receipt)
        if any(outcomes[member] != "finished" for member in outcomes if member not in ACCEPTED):
            receipt.unlink()


PACKS = packs()
if PACKS:
    forget_unfinished_packs()


def sessions():
    """Return the architectures of each profiling session, in random order."""
    order = generator(STUDY.seed, "profiling.order").permutation(sorted(ARCHITECTURES)).tolist()
    size = STUDY.profiling.session_size
    return [order[start : start + size] for start in range(0, len(order), size)]


SESSIONS = sessions()


def session_members(wildcards):
    """Return hash, adjacency and operations of a profiling session's architectures, in the order they are measured."""
    members = [ARCHITECTURES[member] for member in SESSIONS[int(wildcards.session)]]
    return [{"hash": cell.hash, "adjacency": cell.adjacency, "operations": cell.operations} for cell in members]


def searched(path):
    """Return a path below the results folder with the searched benchmark's name filled in."""
    return f"{RESULTS}/{path}".replace("{benchmark}", STUDY.search.benchmark)


def arm_budgets(wildcards):
    """Return the evaluation budgets of an arm, ascending."""
    return getattr(STUDY.search.budgets, wildcards.arm)


def predicted_fronts(wildcards):
    """Return the predicted fronts for the arm that starts from them, nothing for random starts."""
    if wildcards.arm == "random":
        return []
    return f"{RESULTS}/surrogates/{wildcards.benchmark}/predicted_fronts.parquet"


def validation_report(name):
    """Return the validation report of a table; it goes into Snakemake's report."""
    return report(
        f"{RESULTS}/benchmark/{name}.validation.json",
        caption="captions/validation.rst",
        category="Tables",
        labels={"content": name, "kind": "validation"},
    )


def published(source, part=None):
    """Return an input function for a published file, or for a part of a published folder."""

    def path(wildcards):
        place = getattr(STUDY.benchmark, source)
        if place is None:
            sys.exit(f"terranas: benchmark.{source} names no file or folder; set it to import that table.")
        return place if part is None else f"{place}/{FILES_OF_TABLES[source][part]}"

    return path


def imported_tables(wildcards):
    """Return the tables to import, of which there must be one."""
    if not IMPORTED:
        sys.exit(
            "terranas: there is no published table to import; set the path of one, for example "
            "--config 'benchmark={nasbench101: PATH/TO/nasbench_only108.tfrecord}' (docs/tables.md lists all)."
        )
    return IMPORTED
