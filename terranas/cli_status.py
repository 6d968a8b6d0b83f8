"""``terranas status`` and ``terranas why``: where a study stands, and what makes a file rerun."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terranas.cli_frame import (
    DEFAULT_CONFIG,
    STUDY_FAILED,
    ConfigFile,
    Json,
    SnakemakeOptions,
    examples,
    note,
    print_json,
)

if TYPE_CHECKING:
    from terranas.inspection.causes import Explanation, RootCause
    from terranas.inspection.overview import JobState, Overview
    from terranas.inspection.reasons import Cause

FAILURES_SHOWN = 5
GROUPS_SHOWN = 15
TAIL_SHOWN = 5
_COLOURS = {"failed": "red", "running": "blue", "stale": "yellow"}
_RUNNERS = {
    "none": "no snakemake runs it",
    "running": "{main} runs it",
    "gone": "{main} ended without a word; `terranas campaign resume` goes on",
    "unknown": "{main} cannot be seen from here",
}

STATUS_EXAMPLES = examples(
    "terranas status",
    "terranas status -- --config 'search={seeds: 10}'",
    "terranas status --json | jq '.stages'",
)
WHY_EXAMPLES = examples(
    "terranas why results/demo/report",
    "terranas why comparison -- --config 'search={seeds: 10}'",
)


def status(options: SnakemakeOptions = None, configfile: ConfigFile = DEFAULT_CONFIG, json: Json = False) -> None:
    """Say what of a study is done, running, failed, missing or stale, with reasons and the ends of logs.

    Snakemake itself is asked, by dry runs that change nothing and disturb no running one. A job is failed if its last
    attempt ended with an error, stale if its files belong to other inputs, settings or code than now. Ends with exit
    code 3 if a job failed.

    Keys of --json: results_dir, snakemake (state: none, running, gone or unknown; process), architectures_listed,
    stages (stage, jobs, done, running, queued, failed, missing, stale), jobs (those that are not done: rule, stage,
    wildcards, outputs, state, causes, error, log, log_tail), accepted (reasons by hash). A cause has kind, text, files,
    and for a changed setting setting, old and new.
    """
    from terranas.inspection.overview import look
    from terranas.inspection.workflow import StudyCall

    call = StudyCall.of(configfile, options or [])
    note("Asking snakemake what there is to do, which takes some seconds ...")
    overview = look(call)
    if json:
        print_json(overview.facts())
    else:
        _print_overview(overview)
    if overview.of("failed"):
        raise typer.Exit(STUDY_FAILED)


def why(
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help="A file or folder of the study, or a rule or stage.")],
    options: SnakemakeOptions = None,
    configfile: ConfigFile = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Say whether a file would be made again, and which input, setting or code is at the bottom of it.

    What it depends on is followed back to the jobs that would run for reasons of their own. Snakemake gives a job whose
    inputs are made again no further reason, even if its settings changed as well. A page of the report, or another file
    in a folder that one job makes, is answered for the folder.

    Keys of --json: output, up_to_date, rule, causes, jobs (how many would run), roots (rule, wildcards, outputs,
    causes, chain: the jobs from the file to this one). A cause has kind, text, files, and for a changed setting
    setting, old and new.
    """
    from terranas.inspection.causes import explain
    from terranas.inspection.workflow import StudyCall

    call = StudyCall.of(configfile, options or [])
    note("Asking snakemake what there is to do, which takes some seconds ...")
    explanation = explain(call, _as_spelt(output))
    if json:
        print_json(explanation.facts())
    else:
        _print_explanation(explanation)


def _as_spelt(output: str) -> str:
    """Return a path as the rules spell it: below the current folder, without detours."""
    if "/" not in output:
        return output
    path = os.path.normpath(output)
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _print_overview(overview: "Overview") -> None:
    from terranas.inspection.overview import STATES

    typer.echo(f"{overview.results}: {_RUNNERS[overview.runner].format(main=overview.main)}.")
    if not overview.has_list:
        typer.echo("The list of architectures is not made yet; until then, trainings and measurements are not known.")
    stages = overview.stages()
    shown = [state for state in STATES if state in ("done", "missing") or overview.of(state)]
    typer.echo(f"{'stage':12s} {'jobs':>6s} " + " ".join(f"{state:>8s}" for state in shown))
    for stage, states in stages:
        cells = [
            typer.style(f"{states[state] or '':>8}", fg=_COLOURS.get(state) if states[state] else None)
            for state in shown
        ]
        typer.echo(f"{stage:12s} {states.total():6d} " + " ".join(cells).rstrip())
    totals = [len(overview.of(state)) for state in shown]
    typer.echo(f"{'all':12s} {len(overview.jobs):6d} " + " ".join(f"{number or '':>8}" for number in totals).rstrip())
    for job in overview.of("running", "queued"):
        typer.echo(f"{job.state}: {job.job.name}" + (f" (log {job.log})" if job.log else ""))
    _print_failures(overview.of("failed"))
    _print_stale(overview.of("stale"))
    _print_missing(overview.of("missing"))
    for architecture, reason in overview.accepted.items():
        typer.echo(f"accepted failure {architecture}: {reason}")
    if not overview.of("running", "queued", "failed", "missing", "stale"):
        typer.echo("Nothing is left to do.")


def _print_failures(failed: "Sequence[JobState]") -> None:
    for job in failed[:FAILURES_SHOWN]:
        typer.echo(f"failed: {job.job.name}: {job.error}")
        if job.log:
            typer.echo(f"  the end of {job.log}:")
        for line in job.log_tail[-TAIL_SHOWN:]:
            typer.echo(f"    {line}")
    if len(failed) > FAILURES_SHOWN:
        typer.echo(f"... and {len(failed) - FAILURES_SHOWN} more; --json lists all")


def _print_missing(jobs: "Sequence[JobState]") -> None:
    """Print what was not made yet, a stage a line."""
    stages: dict[str, Counter[str]] = {}
    for job in jobs:
        for cause in job.causes:
            if cause.kind == "removed":
                typer.echo(f"missing: {job.job.name}: {cause}")
                typer.echo("  `snakemake FILE` with its name makes it again")
        if any(cause.kind == "removed" for cause in job.causes):
            continue
        stages.setdefault(job.job.stage, Counter())[job.job.rule] += 1
    for rules in stages.values():
        typer.echo(f"missing: {', '.join(f'{rule} ({many})' if many > 1 else rule for rule, many in rules.items())}")


def _print_stale(jobs: "Sequence[JobState]") -> None:
    """Print jobs by rule and by reasons of their own; those without follow from the others."""
    groups: dict[tuple[str, ...], list[tuple[JobState, list[Cause]]]] = {}
    following = 0
    for job in jobs:
        own = [cause for cause in job.causes if cause.kind != "upstream"]
        if not own:
            following += 1
            continue
        # files differ from job to job of a rule; settings do not
        alike = tuple(str(cause) if cause.kind == "setting" else cause.kind for cause in own)
        groups.setdefault((job.job.rule, *alike), []).append((job, own))
    for members in list(groups.values())[:GROUPS_SHOWN]:
        first, causes = members[0]
        alone = len(members) == 1
        # settings are alike in all members, files are those of the first
        same = all(cause.kind in ("setting", "code") for cause in causes)
        name = first.job.name if alone else f"{first.job.rule} ({len(members)} jobs{'' if same else ', one of them'})"
        typer.echo(f"stale: {name}: {'; '.join(map(str, causes))}")
    if len(groups) > GROUPS_SHOWN:
        typer.echo(f"... and {len(groups) - GROUPS_SHOWN} more; --json lists all")
    if following:
        typer.echo(f"stale: {following} more, since their inputs are made again")


def _print_explanation(explanation: "Explanation") -> None:
    if explanation.up_to_date:
        typer.echo(f"{explanation.asked} is up to date.")
        return
    by = f" by {explanation.job.rule}" if explanation.job else ""
    jobs = "1 job" if explanation.jobs == 1 else f"{explanation.jobs} jobs"
    typer.echo(f"{explanation.asked} would be made again{by} ({jobs} would run).")
    groups: dict[tuple[str, ...], list[RootCause]] = {}
    for root in explanation.roots:
        groups.setdefault((root.job.rule, *map(str, root.causes)), []).append(root)
    for members in list(groups.values())[:GROUPS_SHOWN]:
        first = members[0]
        typer.echo(f"{first.job.name if len(members) == 1 else f'{first.job.rule} ({len(members)} jobs)'}:")
        for cause in first.causes:
            typer.echo(f"  {cause}")
        if len(first.chain) > 1:
            typer.echo(f"  by way of {' <- '.join(job.rule for job in first.chain)}")
    if len(groups) > GROUPS_SHOWN:
        typer.echo(f"... and {len(groups) - GROUPS_SHOWN} more; --json lists all")
