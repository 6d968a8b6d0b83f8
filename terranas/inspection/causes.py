"""What makes a file rerun: the jobs it depends on, back to those that would run for reasons of their own."""

import difflib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from terranas.core.errors import TerranasError
from terranas.core.stages import STAGES
from terranas.inspection.reasons import Cause, causes_of
from terranas.inspection.workflow import Job, NoRuleError, StudyCall


@dataclass(frozen=True)
class RootCause:
    """A job that would run for a reason of its own.

    Attributes:
        job: the job.
        causes: its own reasons.
        chain: jobs from the asked file back to this one, both included.
    """

    job: Job
    causes: Sequence[Cause]
    chain: Sequence[Job]


@dataclass(frozen=True)
class Explanation:
    """Why a file would be made again.

    Attributes:
        asked: what was asked for: a file or a rule; of a file inside a folder that one job makes, the folder.
        job: the job that makes the file; None where it would not run, or where a rule was asked for.
        causes: why that job would run.
        jobs: how many jobs would run for it.
        roots: where it comes from, the nearest first.
    """

    asked: str
    job: Job | None
    causes: Sequence[Cause]
    jobs: int
    roots: Sequence[RootCause]

    @property
    def up_to_date(self) -> bool:
        """Whether nothing would run."""
        return self.jobs == 0

    def facts(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "output": self.asked,
            "up_to_date": self.up_to_date,
            "rule": self.job.rule if self.job else None,
            "causes": [cause.facts() for cause in self.causes],
            "jobs": self.jobs,
            "roots": [
                {
                    "rule": root.job.rule,
                    "wildcards": dict(root.job.wildcards),
                    "outputs": list(root.job.outputs),
                    "causes": [cause.facts() for cause in root.causes],
                    "chain": [job.name for job in root.chain],
                }
                for root in self.roots
            ],
        }


def explain(call: StudyCall, asked: str) -> Explanation:
    """Return why a file (or what a rule makes) would be made again.

    Args:
        call: the study.
        asked: the file as the rules spell it, or the name of a rule or stage.

    Raises:
        TerranasError: no rule makes it; the nearest names are given.
    """
    if not asked:
        raise TerranasError("Name a file of the study, a rule or a stage, such as results/demo/report or comparison.")
    try:
        jobs = call.planned(asked)
    except NoRuleError:
        asked = _folder_of(asked, call.planned(everything=True))
        jobs = call.planned(asked)
    causes = {id(job): causes_of(job, call.metadata, call.config) for job in jobs}
    makers = {output: job for job in jobs for output in job.outputs}
    asked_job = makers.get(asked)
    begin = [asked_job] if asked_job else [job for job in jobs if job.rule == asked] or jobs
    roots = _roots(begin, causes, makers)
    return Explanation(asked, asked_job, causes[id(asked_job)] if asked_job else (), len(jobs), roots)


def _folder_of(asked: str, jobs: Sequence[Job]) -> str:
    """Return the folder that a job makes as a whole and that a file is in."""
    outputs = [output for job in jobs for output in job.outputs]
    for output in outputs:
        if asked.startswith(f"{output}/"):
            return output
    names = dict.fromkeys([*STAGES, *(job.rule for job in jobs), *outputs])
    near = difflib.get_close_matches(asked, list(names), n=3, cutoff=0.5)
    hint = f" Near it: {', '.join(near)}." if near else ""
    raise TerranasError(f"No rule or stage of this study is called '{asked}', and none makes such a file.{hint}")


def _roots(
    begin: Sequence[Job], causes: Mapping[int, Sequence[Cause]], makers: Mapping[str, Job]
) -> Sequence[RootCause]:
    """Return the jobs with reasons of their own, along the shortest way to each."""
    pending: deque[tuple[Job, tuple[Job, ...]]] = deque((job, (job,)) for job in begin)
    seen = {id(job) for job in begin}
    found = []
    while pending:
        job, chain = pending.popleft()
        own = [cause for cause in causes[id(job)] if cause.kind != "upstream"]
        if own:
            found.append(RootCause(job, own, chain))
        for name in job.inputs:
            maker = makers.get(name)
            if maker is not None and id(maker) not in seen:
                seen.add(id(maker))
                pending.append((maker, (*chain, maker)))
    return found
