"""Functions and constants that the rules share. No rule stands here."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from terranas import LAYOUT_VERSION
from terranas.config import load_config
from terranas.config.inputs import PUBLISHED_IMAGE, PUBLISHED_NETWORK, WHOLE_SPACE
from terranas.core.errors import ConfigError, TerranasError
from terranas.core.files import require_free_space, sha256_file
from terranas.core.fingerprint import fingerprint
from terranas.core.randomness import generator
from terranas.core.script import offer_checkout
from terranas.data import NUMERICS_VERSION as DATA_NUMERICS
from terranas.data.layout import SPLITS
from terranas.data.precheck import check_source, estimate_disk_use, preparation_memory, source_files
from terranas.profiling import NUMERICS_VERSION as PROFILING_NUMERICS
from terranas.sampling.architectures import list_key, read_architectures
from terranas.training import NUMERICS_VERSION as TRAINING_NUMERICS
from terranas.training.acceptance import read_accepted

ROOT = Path(workflow.basedir)
# scripts import the library of this checkout, in whatever environment a job runs
offer_checkout(ROOT)
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


def data_settings():
    """Return the settings that the prepared arrays depend on: only those of the chosen source."""
    chosen = settings("data", "source", "not_finite", "storage")
    if not STUDY.data.in_so2sat_layout:
        return chosen | settings("data", "images", "reader") | {"seed": STUDY.seed}
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
    architecture = ARCHITECTURES[wildcards.hash]
    return {"adjacency": architecture.adjacency, "operations": architecture.operations}


def accepted_reason(wildcards):
    """Return why a failed training was accepted by hand, or an empty text."""
    return ACCEPTED.get(wildcards.hash, "")


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
