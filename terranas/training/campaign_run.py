"""The snakemake process that runs a study, told by a file: whether it lives, and what it submitted."""

import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from terranas.core.errors import DataError
from terranas.core.files import read_json, write_json
from terranas.core.processes import Process

# Snakemake's Slurm plugin names all jobs of one call so, and says so in the call's log
_RUN_NAME = re.compile(r"SLURM run ID: ([A-Za-z0-9_-]+)")
LOG_BYTES = 1_000_000


@dataclass(frozen=True)
class MainProcess:
    """The snakemake process that runs a study.

    Attributes:
        process: the process.
        start: Unix time of its start.
        command: what it was called with.
        logs: its log, and those of earlier calls that did not end by themselves and may have left jobs behind.
    """

    process: Process
    start: float
    command: Sequence[str]
    logs: Sequence[str]

    def run_names(self) -> list[str]:
        """Return the names that the Slurm jobs of this and of the earlier calls bear."""
        names = []
        for log in self.logs:
            try:
                with Path(log).open(encoding="utf-8", errors="replace") as file:
                    names += _RUN_NAME.findall(file.read(LOG_BYTES))
            except OSError:  # somebody tidied up
                continue
        return names

    def __str__(self) -> str:
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.start))
        return f"snakemake (process {self.process.pid} on {self.process.host}, started {started})"


def announce(results: str | Path, logs: Sequence[str]) -> None:
    """Say that this process runs the study, unless another living one does.

    Args:
        results: the study's results folder.
        logs: snakemake's log files.
    """
    before = announced(results)
    if before is not None and before.process.is_gone() is False:
        return
    own = [str(Path(log).absolute()) for log in logs]
    # what ended by itself has withdrawn its file: jobs of the calls named here may still be in the queue
    own += [earlier for earlier in (before.logs if before else ()) if earlier not in own]
    main = MainProcess(Process.this(), time.time(), sys.argv, own)
    write_json(_file(results), asdict(main))


def withdraw(results: str | Path) -> None:
    """Take back what :func:`announce` said, when the process ends by itself and leaves no job behind."""
    main = announced(results)
    if main is not None and main.process == Process.this():
        forget(results)


def forget(results: str | Path) -> None:
    """Remove the file of a process that is gone, once nothing of it is left."""
    _file(results).unlink(missing_ok=True)


def announced(results: str | Path) -> MainProcess | None:
    """Return the process that announced itself last and did not withdraw; None where there is none.

    A file that holds something else says nothing.
    """
    try:
        content = read_json(_file(results))
        main = MainProcess(Process(**content.pop("process")), **content)
    except (FileNotFoundError, DataError, TypeError, KeyError, AttributeError):
        return None
    numbers = (main.process.pid, main.process.born, main.start)
    sound = all(isinstance(number, int | float) for number in numbers) and main.process.pid > 1
    sound &= isinstance(main.command, list) and isinstance(main.logs, list)
    return main if sound and all(isinstance(log, str) for log in main.logs) else None


def _file(results: str | Path) -> Path:
    return Path(results) / "campaign" / "run.json"


def lock_of_another(results: str | Path, folder: Path = Path()) -> str | None:
    """Return a locked file that does not belong to the study; None where there is none.

    ``snakemake --unlock`` removes all locks of a folder, those of other studies that may run there too.

    Args:
        results: the study's results folder.
        folder: where snakemake is started.
    """
    own = Path(os.path.normpath(results))
    for lock in sorted((folder / ".snakemake" / "locks").glob("*.output.lock")):
        try:
            names = lock.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            continue
        files = [name for name in names if name]
        if files and not any(Path(os.path.normpath(name)).is_relative_to(own) for name in files):
            return files[0]
    return None


def is_locked(folder: Path = Path()) -> bool:
    """Return whether snakemake's lock of a folder is there."""
    return any((folder / ".snakemake" / "locks").glob("*.lock"))
