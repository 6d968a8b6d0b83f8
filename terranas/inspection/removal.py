"""Removing the results of one stage of a study, and nothing else."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from terranas.core.errors import TerranasError
from terranas.core.stages import STAGES
from terranas.inspection.workflow import Job, StudyCall
from terranas.training.campaign_run import announced, is_locked

KEPT = {
    "training": {"accepted.json": "failures accepted by hand; `terranas retract` takes them back"},
    "search": {"live": "searches that train what they evaluate; no rule makes them again"},
}
"""What stays in a stage's folder, since no rule of the workflow makes it, and why."""

MORE = {"report": ("config.yaml", "software.json")}
"""Files of a stage that stand in the results folder itself."""


@dataclass(frozen=True)
class Removal:
    """What cleaning a stage would remove.

    Attributes:
        stage: the stage.
        paths: files and folders to remove.
        files: how many files they hold.
        size: their bytes.
        kept: what stays of the stage's folder, and why.
        dependents: stages whose results depend on what is removed, in the order the data flow.
    """

    stage: str
    paths: Sequence[Path]
    files: int
    size: int
    kept: dict[str, str]
    dependents: Sequence[str]

    def carry_out(self) -> None:
        """Remove it; links are removed and not followed."""
        for path in self.paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def plan_removal(call: StudyCall, stage: str) -> Removal:
    """Return what cleaning a stage would remove.

    Raises:
        TerranasError: there is no such stage, snakemake runs the study or may run it, or one of the folders is a link.
    """
    if stage not in STAGES:
        raise TerranasError(f"'{stage}' is no stage. The stages are: {', '.join(STAGES)}.")
    require_idle(call)
    results = call.folder / call.results
    kept = {name: why for name, why in KEPT.get(stage, {}).items() if os.path.lexists(results / stage / name)}
    paths = list(_paths(results, stage, kept))
    sizes = [path.lstat().st_size for top in paths for path in _below(top)]
    dependents = dependent_stages(call.planned(everything=True), stage) if paths else []
    return Removal(stage, paths, len(sizes), sum(sizes), kept, dependents)


def require_idle(call: StudyCall) -> None:
    """Refuse while snakemake runs the study, or may run it.

    Raises:
        TerranasError: it does, or may.
    """
    main = announced(call.folder / call.results)
    if main is not None and main.process.is_gone() is not True:
        raise TerranasError(
            f"{main} runs this study, or cannot be seen from here. Wait for its end or stop it "
            "(`terranas campaign cancel`), and clean then."
        )
    if is_locked(call.folder):
        raise TerranasError(
            "Snakemake's lock is there: a snakemake runs in this folder, or was killed. Where none runs, remove the "
            "lock with `snakemake --unlock`, and clean then."
        )


def dependent_stages(jobs: Sequence[Job], stage: str) -> list[str]:
    """Return the stages with jobs that read a stage's files, or files made of them, in the order the data flow."""
    made = {name for job in jobs if job.stage == stage for name in job.outputs}
    reached = {stage}
    pending = list(jobs)
    grew = True
    while grew:
        hit = [job for job in pending if made.intersection(job.inputs)]
        grew = bool(hit)
        pending = [job for job in pending if not made.intersection(job.inputs)]
        for job in hit:
            made.update(job.outputs)
            reached.add(job.stage)
    return [name for name in STAGES if name in reached and name != stage]


def _paths(results: Path, stage: str, kept: dict[str, str]) -> Iterator[Path]:
    """Yield what belongs to a stage and is there."""
    for folder in (results / stage, results / "logs" / stage, results / "runtimes" / stage):
        if not os.path.lexists(folder):
            continue
        # the results folder may be a link, to a large disk for example; what is below it must stand there itself
        inside = results.resolve() / folder.relative_to(results)
        if folder.resolve() != inside:
            raise TerranasError(
                f"{folder} leads to {folder.resolve()}, by a link. Nothing behind a link is removed; remove it there "
                "by hand."
            )
        if folder == results / stage and kept:
            yield from (path for path in sorted(folder.iterdir()) if path.name not in kept)
        else:
            yield folder
    yield from (path for name in MORE.get(stage, ()) if os.path.lexists(path := results / name))


def _below(top: Path) -> Iterator[Path]:
    """Yield the files at or below a path; links count as files."""
    if top.is_symlink() or not top.is_dir():
        yield top
        return
    for folder, _, names in os.walk(top, followlinks=False):
        yield from (Path(folder) / name for name in names)
