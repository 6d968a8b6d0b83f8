"""The workflow as a live search uses it: calls of snakemake on the space's tables and on trainings, one at a time.

Whatever is killed meanwhile, the next call mends: it waits for what still runs, removes the lock, and asks again for
what lacks. Trainings hold leases and keep their results, so that none is done twice.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from terranas.config.study import StudyConfig
from terranas.core.errors import DataError, TerranasError
from terranas.core.files import read_json, write_json
from terranas.core.formats import counted
from terranas.core.processes import Process
from terranas.sampling.selection import architectures_of
from terranas.search.live_list import add_chosen, live_folder, read_chosen
from terranas.training.campaign import listed_architectures, tail_of
from terranas.training.campaign_resume import (
    INTERRUPTED_CODE,
    Study,
    require_gone,
    run_snakemake,
    settle_survivors,
    unlock,
    wait_for,
    without_record,
)
from terranas.training.campaign_run import announced
from terranas.training.deadline import Stop
from terranas.training.lease import LeaseHeldError, hold, process_gone, read_leases

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
FAILURES_SHOWN = 10

Watch = Callable[[int], None]
"""Is told every second how many trainings of a round have a result."""


class LiveSearchRunsError(TerranasError):
    """Another live search of the study runs."""


class _Patience(Stop):
    """Ends waiting for another live search: at once where it is seen to live, else when it may be taken for dead."""

    def __init__(self, folder: Path, seconds: float) -> None:
        super().__init__(until=time.time() + seconds)
        self._folder = folder

    def reason(self) -> str:
        last = read_leases(self._folder)[-1:]
        return "it lives" if last and process_gone(last[0]) is False else super().reason()


@contextmanager
def only_search(results: str | Path, lease_seconds: float) -> Iterator[None]:
    """Let nobody else search live in a study while the block runs.

    Args:
        results: the study's results folder.
        lease_seconds: age at which the sign of life of a search on another machine counts as dead.

    Raises:
        LiveSearchRunsError: another one runs, or may run.
    """
    folder = live_folder(results)
    try:
        # a machine that cannot be seen is given its time, and some more to have its last sign of life noticed
        with hold(folder, lease_seconds, {}, stop=_Patience(folder, 1.2 * lease_seconds)):
            yield
    except LeaseHeldError as error:
        holder = read_leases(folder)[-1]
        raise LiveSearchRunsError(
            f"A live search of this study runs already ({holder}); two would ask for trainings of each other's "
            "rounds. Wait for its end, or stop it there by Ctrl-C."
        ) from error


class LiveWorkflow:
    """Asks snakemake for what a live search needs."""

    def __init__(self, config: StudyConfig, configfile: Path, options: Sequence[str]) -> None:
        """Describe the calls.

        Args:
            config: the study.
            configfile: its file, which snakemake reads too.
            options: further options of snakemake, a profile or an executor among them.
        """
        self._config = config
        self._options = list(options)
        results = config.results_dir.rstrip("/")
        self._study = Study(configfile, Path(results), float(config.campaign.lease_seconds), [])
        self._call_file = live_folder(results) / "call.json"
        self._log = Path(results) / "logs" / "search" / "live.log"
        self._again: set[str] = set()  # results that snakemake has no record of

    @property
    def results(self) -> Path:
        """The study's results folder."""
        return self._study.results

    def settle(self, *, gone: bool = False) -> None:
        """Deal with what an earlier call left that was killed: wait for it, and remove its lock.

        Args:
            gone: whether the caller knows that a snakemake on a machine that cannot be seen from here is gone.

        Raises:
            StillRunningError: a snakemake of the study runs that no live search called.
            TerranasError: a lock cannot be removed.
            KeyboardInterrupt: the user did not want to wait.
        """
        self._wait_for_call()
        require_gone(self._study, gone)
        chosen = set(read_chosen(self.results, self._config.space.model_dump(mode="json")))
        if announced(self.results) is None:
            unlock(self._study, self._options)
            return
        left = replace(self._study, architectures=sorted(chosen | self._listed()))
        survivors = settle_survivors(left, cancel_running=False) & chosen
        if survivors:
            logger.info("Trainings of an earlier call that run on: %d", len(survivors))
        if wait_for(left, survivors) == INTERRUPTED_CODE:
            raise KeyboardInterrupt
        unlock(self._study, self._options)
        self._again = survivors | without_record(replace(left, architectures=sorted(chosen)), self._options)

    def prepare(self) -> list[Path]:
        """Have the space, its neighbour graph and the images ready; return the files of the first two and a manifest.

        Returns:
            Table of cells, ``indptr``, ``indices`` and summary of the graph, and the manifest of the images.

        Raises:
            TerranasError: snakemake failed.
        """
        space = self.results / "space"
        graph = space / self._config.search.neighbourhood
        files = [space / "cells.parquet", graph / "indptr.npy", graph / "indices.npy", graph / "summary.json"]
        files.append(self.results / "data" / "manifest.json")
        logger.info("Preparing the space and the images")
        if code := self._call([str(path) for path in files]):
            raise TerranasError(f"The space and the images could not be prepared: {self._ended(code)}")
        return files

    def train(self, cells: pd.DataFrame, watch: Watch) -> None:
        """Have architectures trained; those that are trained already take no time.

        Args:
            cells: their rows of the table of cells (schema ``space.cells``).
            watch: told how many have a result.

        Raises:
            TerranasError: some have no result; the others keep theirs.
        """
        chosen = architectures_of(cells)
        add_chosen(self.results, self._config.space.model_dump(mode="json"), chosen)
        names = [architecture.hash for architecture in chosen]
        files = [self._study.status_file(name) for name in names]
        again = [self._study.status_file(name) for name in names if name in self._again]
        forced = ["--forcerun", *again] if again else []
        code = self._call([*files, *forced], lambda: watch(sum(Path(file).is_file() for file in files)))
        if code:
            raise TerranasError(self._lacking(names, code))
        self._again -= set(names)

    def _call(self, targets: Sequence[str], each_second: Callable[[], None] = lambda: None) -> int:
        """Call snakemake and return its exit code; a stop by the user is raised."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._call_file.unlink(missing_ok=True)

        def note(pid: int) -> None:
            if not self._call_file.exists():
                write_json(self._call_file, asdict(Process.of(pid)))
            each_second()

        with self._log.open("ab") as output:
            command = self._study.command(self._options, *targets, "--keep-going")
            code = run_snakemake(command, output=output, each_second=note)
        each_second()
        self._call_file.unlink(missing_ok=True)
        if code == INTERRUPTED_CODE:
            raise KeyboardInterrupt
        return code

    def _wait_for_call(self) -> None:
        """Wait for the snakemake that a killed live search left running."""
        try:
            process = Process(**read_json(self._call_file))
        except (FileNotFoundError, DataError, TypeError):
            return
        if process.is_gone() is False:
            logger.info("Waiting for snakemake (process %d), which a killed live search left running", process.pid)
        while process.is_gone() is False:
            time.sleep(POLL_SECONDS)
        self._call_file.unlink(missing_ok=True)

    def _listed(self) -> set[str]:
        """Return the architectures that the study itself trains, where it has a list."""
        path = self.results / "sampling" / "architectures.csv"
        return set(listed_architectures(path)) if path.is_file() else set()

    def _lacking(self, names: Sequence[str], code: int) -> str:
        """Return the message for a round that did not get all its results."""
        campaign = replace(self._study, architectures=names).look()
        lacking = [training for training in campaign.trainings if training.state != "finished"]
        lines = [f"  {one.hash}: {one.state}{f', {one.reason}' if one.reason else ''}" for one in lacking]
        if len(lines) > FAILURES_SHOWN:
            lines[FAILURES_SHOWN:] = [f"  and {len(lines) - FAILURES_SHOWN} more"]
        return "\n".join(
            [
                f"{counted(len(lacking), 'training')} of {len(names)} of this round gave no result.",
                *lines,
                self._ended(code),
                "Nothing is lost: the same command goes on where this one stopped. Where a training cannot be done, "
                "`terranas accept HASH --reason ...` lets the search go on without it.",
            ]
        )

    def _ended(self, code: int) -> str:
        tail = "\n".join(f"    {line}" for line in tail_of(self._log))
        return f"snakemake ended with exit code {code}. The end of {self._log}:\n{tail}"
