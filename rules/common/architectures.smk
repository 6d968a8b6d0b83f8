"""The list of architectures to train, which decides what jobs there are. No rule stands here.

The list is a file that the sampling stage makes. It is read while the workflow is parsed, so that a dry run shows every
training. Where it is missing or belongs to other settings, it is made first, by a snakemake call of its own on that one
target.

Live searches keep a list of their own. What stands there can be trained when it is asked for by its file, and belongs to
no target.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from terranas import LAYOUT_VERSION
from terranas.core.errors import TerranasError
from terranas.core.files import require_free_space
from terranas.sampling.architectures import list_key, read_architectures
from terranas.search.live_list import read_chosen
from terranas.training.acceptance import read_accepted
from terranas.training.disk import estimate_disk_use

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


def trainable():
    """Return all architectures that can be asked for, by hash: those to train, and those that live searches chose."""
    try:
        return read_chosen(RESULTS, settings("space")) | ARCHITECTURES
    except TerranasError as error:
        sys.exit(f"terranas: {error}")


def accepted_failures():
    """Return the reasons of trainings whose failure was accepted by hand, by architecture."""
    try:
        return read_accepted(f"{RESULTS}/training/accepted.json")
    except TerranasError as error:
        sys.exit(f"terranas: {error}")


ARCHITECTURES = architectures_to_train()
TRAINABLE = trainable()
ACCEPTED = accepted_failures()


def member_of(architecture, *names):
    """Return the named facts of an architecture that can be trained."""
    return {name: getattr(TRAINABLE[architecture], name) for name in names}
