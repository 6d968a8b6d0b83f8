"""The campaign's page: where every training stands, what was spent and lost, what is still needed."""

import io
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from terranas.core.figures import COLOURS, figure
from terranas.core.formats import MISSING, SPACE, count, counted, fixed, listed, percent, sentence, significant
from terranas.core.logs import format_duration
from terranas.core.page import Block, Head, Listing, Page, Picture, Section, Table
from terranas.training.attempts import Ending
from terranas.training.campaign import STATES, Campaign, State, Training
from terranas.training.campaign_report import (
    CORRECTED_FROM,
    Expected,
    Outlook,
    memory_ratios,
    outlook,
    slowest,
    time_ratios,
)

STATE_COLOURS: dict[State, str] = {
    "finished": COLOURS["green"],
    "running": COLOURS["blue"],
    "waiting": COLOURS["sky"],
    "queued": COLOURS["yellow"],
    "failed": COLOURS["vermilion"],
    "stopped": COLOURS["orange"],
    "missing": "#C9CED6",
}
TROUBLES_SHOWN = 20


def campaign_page(
    campaign: Campaign, expected: Mapping[str, Expected], study: Mapping[str, Any], disk_bytes: int
) -> Page:
    """Return the campaign's page.

    Args:
        campaign: where the trainings stand.
        expected: what each is expected to take.
        study: the effective configuration as plain values.
        disk_bytes: disk space that the whole study is expected to take.
    """
    training = study["training"]
    on_gpus = training["device"] != "cpu"
    unit = "GPU hours" if on_gpus else "process hours"
    found = outlook(campaign, expected, training["processes"])
    return Page(
        title=f"Campaign: {study['report']['title']}",
        subject="trainings",
        subtitle=(
            f"{sentence(counted(len(campaign.trainings), 'training'))} on {study['data']['name']}, as they stood on "
            f"{time.strftime('%d %B %Y at %H:%M', time.localtime(campaign.time))}"
        ),
        headline=_headline(campaign, found, unit, disk_bytes),
        limits=_limits(campaign, found, on_gpus),
        sections=[
            _overview(campaign, found, unit),
            _now(campaign),
            _troubles(campaign),
            _spent(campaign, found, unit),
            _to_come(campaign, expected, found, unit, training, disk_bytes),
            _estimate_and_use(campaign, expected, on_gpus),
            _all(campaign, expected),
        ],
    )


def hours(seconds: float) -> str:
    """Return hours with three digits: ``1,240``, ``0.0512``."""
    return significant(seconds / 3600)


def _headline(campaign: Campaign, found: Outlook, unit: str, disk_bytes: int) -> list[tuple[str, str]]:
    done = campaign.of("finished")
    numbers = [
        (f"{count(len(done))} of {count(len(campaign.trainings))}", "trainings have their result"),
        (count(len(campaign.of("running"))), "train now"),
        (count(len(campaign.of("failed", "stopped"))), "failed or stopped, and have no job"),
    ]
    if found.spent:
        numbers.append((hours(found.spent), f"{unit} spent, {percent(found.lost / found.spent)} of them lost"))
    else:
        numbers.append((f"{significant(disk_bytes / 1e9)}{SPACE}GB", "of disk space expected for the whole study"))
    return [*numbers, (hours(found.left), f"{unit} still needed, as expected")]


def _limits(campaign: Campaign, found: Outlook, on_gpus: bool) -> list[str]:
    said = []
    if not campaign.queue_known and campaign.of("failed", "stopped", "missing"):
        said.append("Slurm did not answer or is not there, so that trainings that wait in a queue count as missing.")
    if found.correction == 1.0 and len(campaign.of("finished")) < CORRECTED_FROM:
        said.append(
            f"Times to come are estimates from the networks' sizes alone; once {CORRECTED_FROM} trainings are "
            "finished, their times correct them."
        )
    if on_gpus and found.spent and found.energy_known < 0.995:
        said.append(
            f"The energy of {percent(found.energy_known)} of the time spent is known: attempts that were killed, and "
            "GPUs without a counter, do not tell theirs."
        )
    return said


def _overview(campaign: Campaign, found: Outlook, unit: str) -> Section:
    counts = {state: len(campaign.of(state)) for state in STATES}
    present = [state for state in STATES if counts[state]]
    outcomes = Counter(training.outcome for training in campaign.of("finished"))
    words = {"ok": "reached their last epoch", "diverged": "diverged", "out_of_memory": "ran out of memory"}
    words["accepted_failure"] = "were given up by hand"
    told = [f"{count(number)} {words.get(outcome, outcome)}" for outcome, number in outcomes.most_common()]
    rows = [(sentence(state), count(counts[state]), sentence(STATES[state])) for state in present]
    sentences = [f"Of the finished trainings, {listed(told)}."] if told else ["No training has a result yet."]
    if found.spent:
        sentences.append(f"All attempts together took {hours(found.spent)} {unit}.")
    table = Table(
        "Trainings by state.", (Head("State", "text"), Head("Trainings"), Head("What it means", "text")), rows
    )
    return Section("overview", "Overview", sentences, [_bar(counts, len(campaign.trainings)), table])


def _bar(counts: Mapping[State, int], total: int) -> Markup:
    """Return a bar whose parts are the shares of the states, with a legend."""
    parts, legend, left = [], [], 0.0
    for state, number in counts.items():
        if number:
            width = 100 * number / max(total, 1)
            parts.append(
                f'<rect x="{left:.3f}%" y="0" width="{width:.3f}%" height="28" fill="{STATE_COLOURS[state]}">'
                f"<title>{escape(state)}: {count(number)}</title></rect>"
            )
            legend.append(
                f'<li><svg width="14" height="14" aria-hidden="true"><rect width="14" height="14" rx="3" '
                f'fill="{STATE_COLOURS[state]}"/></svg> {escape(state)} {count(number)}</li>'
            )
            left += width
    words = ", ".join(f"{state} {number}" for state, number in counts.items() if number)
    look = 'width="100%" height="28" style="border-radius:6px;display:block;margin-top:1.5rem"'
    # built of numbers and the names of the states
    return Markup(
        f'<svg role="img" aria-label="Shares of the states: {escape(words)}" {look}>{"".join(parts)}</svg>'
        f'<ul class="legend">{"".join(legend)}</ul>'
    )


def _now(campaign: Campaign) -> Section:
    running = sorted(campaign.of("running"), key=lambda found: -(found.left or 0.0))
    waiting = campaign.of("waiting", "queued")
    if not running and not waiting:
        return Section("now", "Running now", ["No training runs, and none waits for a job."])
    said = [f"{sentence(counted(len(running), 'training'))} run{'s' if len(running) == 1 else ''}."]
    blocks: list[Block] = []
    if waiting:
        reasons = Counter(found.job.reason for found in waiting if found.job and found.job.pending)
        why = listed([f"{reason} ({count(number)})" for reason, number in reasons.most_common()]) if reasons else ""
        said.append(f"{sentence(counted(len(waiting), 'more has', 'more have'))} a job that does not train yet.")
        said.append(f"What Slurm says why: {why}." if why else "")
    if running:
        rows = [
            (
                training.hash,
                count(training.epochs),
                MISSING if training.left is None else format_duration(training.left),
                format_duration(training.attempts[-1].seconds) if training.attempts else MISSING,
                count(len(training.attempts)),
                training.job.id if training.job else MISSING,
                training.holder.host if training.holder else MISSING,
            )
            for training in running
        ]
        heads = [Head("Architecture", "text"), Head("Epochs done"), Head("Time left"), Head("This attempt so far")]
        heads += [Head("Attempts"), Head("Slurm job"), Head("Machine", "text")]
        folded = f"{sentence(counted(len(rows), 'running training'))}" if len(rows) > TROUBLES_SHOWN else ""
        caption = "Trainings that run, by the time that they still need at their own pace."
        blocks.append(Table(caption, heads, rows, folded=folded))
    return Section("now", "Running now", [text for text in said if text], blocks)


def _troubles(campaign: Campaign) -> Section:
    troubled = campaign.of("failed", "stopped")
    if not troubled:
        return Section("troubles", "Failed and stopped", ["No training failed or stopped without a job to go on."])
    rows = [(found.hash, found.state, found.reason, count(len(found.attempts))) for found in troubled]
    heads = (Head("Architecture", "text"), Head("State", "text"), Head("Reason", "text"), Head("Attempts"))
    blocks: list[Block] = [Table("Trainings without a result and without a job.", heads, rows)]
    blocks += [
        Listing("\n".join(found.log_tail), folded=f"End of the log of {found.hash}")
        for found in troubled[:TROUBLES_SHOWN]
        if found.log_tail
    ]
    said = [
        f"{sentence(counted(len(troubled), 'training'))} ended without a result. The same snakemake command tries "
        "again and goes on from the last checkpoints; after a killed snakemake, terranas campaign resume does. "
        "terranas accept gives a training up."
    ]
    return Section("troubles", "Failed and stopped", said, blocks)


def _spent(campaign: Campaign, found: Outlook, unit: str) -> Section:
    attempts = [attempt for training in campaign.trainings for attempt in training.attempts]
    if not attempts:
        return Section("spent", "Time and energy spent", ["Nothing was spent yet."])
    endings = Counter(attempt.ending for attempt in attempts)
    requeued = sum(attempt.requeued for attempt in attempts)
    started_anew = sum(len(training.attempts) - 1 for training in campaign.trainings if training.attempts)
    share = found.lost / found.spent if found.spent else 0.0
    meaning: dict[Ending, str] = {
        "finished": "Reached their end",
        "running": "Run now",
        "interrupted": f"Saved themselves and stopped ({count(requeued)} of them queued again)",
        "failed": "Ended with an error",
        "killed": "Were killed before they could save themselves",
    }
    rows = []
    for ending, words in meaning.items():
        own = [attempt for attempt in attempts if attempt.ending == ending]
        if own:
            spent = sum(attempt.seconds * attempt.processes for attempt in own)
            lost = sum(attempt.wasted * attempt.processes for attempt in own)
            rows.append((words, count(endings[ending]), hours(spent), hours(lost)))
    said = [
        f"{sentence(counted(len(attempts), 'attempt'))} at {counted(len(campaign.trainings), 'training')}, "
        f"{count(started_anew)} of them after an earlier one: {hours(found.spent)} {unit}, of which "
        f"{hours(found.lost)} ({percent(share)}) were lost, since they lie between a last checkpoint and the end.",
    ]
    if found.energy:
        said.append(f"The GPUs took {significant(found.energy / 3.6e6)}{SPACE}kWh, as far as that is known.")
    heads = (Head("Attempts that", "text"), Head("Attempts"), Head(sentence(unit)), Head("Of which lost"))
    ranking = [
        (
            training.hash,
            format_duration(training.kept),
            count(len(training.attempts)),
            training.state,
            MISSING if training.energy is None else f"{significant(training.energy / 3.6e6)}{SPACE}kWh",
        )
        for training in slowest(campaign)
    ]
    slow = Table(
        f"The {counted(len(ranking), 'training')} that took longest.",
        (Head("Architecture", "text"), Head("Time"), Head("Attempts"), Head("State", "text"), Head("Energy")),
        ranking,
    )
    return Section("spent", "Time and energy spent", said, [Table("How attempts ended.", heads, rows), slow])


def _to_come(
    campaign: Campaign,
    expected: Mapping[str, Expected],
    found: Outlook,
    unit: str,
    training: Mapping[str, Any],
    disk_bytes: int,
) -> Section:
    times = np.array([one.seconds for one in expected.values()])
    said = [
        f"Before any training began, all {count(len(times))} were expected to take {hours(found.planned)} {unit}, with "
        f"{counted(training['processes'], 'process', 'processes')} and {counted(training['epochs'], 'epoch')} each.",
        f"The whole study is expected to take {significant(disk_bytes / 1e9)}{SPACE}GB of disk space.",
    ]
    if found.left:
        corrected = (
            f" The estimates are multiplied by {fixed(found.correction)}, the median of what finished trainings took "
            "over what they were expected to take."
            if found.correction != 1.0
            else ""
        )
        said.append(
            f"{hours(found.left)} {unit} are still needed, and however many run at once, at least "
            f"{format_duration(found.longest)} for the longest training.{corrected}"
        )
    else:
        said.append("Nothing is left to train.")
    host = np.array([one.host_mb for one in expected.values()])
    device = np.array([one.device_mb for one in expected.values()])
    rows = [("Time of a training", *(format_duration(value) for value in _quantiles(times)))]
    rows.append(("Memory of the machine", *(_gigabytes(value) for value in _quantiles(host))))
    if device.any():
        rows.append(("Memory of a GPU", *(_gigabytes(value) for value in _quantiles(device))))
    heads = (Head("Expected", "text"), Head("Smallest"), Head("Median"), Head("Nine of ten below"), Head("Largest"))
    left = len(campaign.trainings) - len(campaign.of("finished"))
    caption = f"What trainings of this study are expected to take; {counted(left, 'training')} of them are to be done."
    return Section("to-come", "Still to come", said, [Table(caption, heads, rows)])


def _estimate_and_use(campaign: Campaign, expected: Mapping[str, Expected], on_gpus: bool) -> Section:
    ratios = {
        "time": time_ratios(campaign, expected),
        "memory of the machine": memory_ratios(campaign, expected, device=False),
        "memory of a GPU": memory_ratios(campaign, expected, device=True) if on_gpus else np.array([]),
    }
    known = {name: values for name, values in ratios.items() if len(values)}
    if not known:
        return Section("estimate", "Estimate and use", ["No finished training tells yet how good the estimates are."])
    parts = [
        f"{name} {fixed(float(np.median(values)))} (from {fixed(values.min())} to {fixed(values.max())})"
        for name, values in known.items()
    ]
    over = [f"{percent(float((values > 1).mean()))} needed more {name}" for name, values in known.items()]
    said = [
        f"Used over expected, median and range of the finished trainings: {listed(parts)}.",
        f"Of these trainings, {listed(over)} than was expected for them alone; their jobs ask for more than that.",
    ]
    picture = Picture(
        "estimates",
        _ratio_figure(known),
        f"Cumulative distributions of used over expected: {listed(parts)}.",
        "Share of the finished trainings that used at most so many times what was expected of them. To the left of 1, "
        "the estimate was generous; to the right, the job needed the reserve that it was given on top.",
    )
    return Section("estimate", "Estimate and use", said, [picture])


def _ratio_figure(ratios: Mapping[str, NDArray[np.float64]]) -> bytes:
    """Return a PNG of the cumulative distributions."""
    with figure(6.5, 2.6) as (drawn, axes):
        for name, values in ratios.items():
            axes.ecdf(values, label=name)
        axes.axvline(1.0, color=COLOURS["grey"], linewidth=1.0, linestyle="--")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else "")
        axes.set_xlabel("used / expected")
        axes.set_ylabel("share of trainings")
        axes.legend()
        content = io.BytesIO()
        drawn.savefig(content, format="png")
    return content.getvalue()


def _all(campaign: Campaign, expected: Mapping[str, Expected]) -> Section:
    rows = [_row(training, expected[training.hash]) for training in campaign.trainings]
    heads = [Head("Architecture", "text"), Head("State", "text"), Head("Outcome", "text"), Head("Epochs")]
    heads += [Head("Attempts"), Head("Time"), Head("Expected"), Head("Lost"), Head("Left")]
    table = Table("All trainings, in the order of the study's list.", heads, rows, folded=f"{len(rows)} trainings")
    return Section("all", "All trainings", ["The table trainings.csv beside this page holds more columns."], [table])


def _row(training: Training, expected: Expected) -> Sequence[str]:
    return (
        training.hash,
        training.state,
        training.outcome or MISSING,
        count(training.epochs),
        count(len(training.attempts)),
        format_duration(training.kept) if training.kept else MISSING,
        format_duration(expected.seconds),
        format_duration(training.wasted) if training.wasted else MISSING,
        MISSING if training.left is None else format_duration(training.left),
    )


def _quantiles(values: NDArray[np.float64]) -> list[float]:
    return [float(np.quantile(values, share)) for share in (0.0, 0.5, 0.9, 1.0)]


def _gigabytes(megabytes: float) -> str:
    return f"{significant(megabytes / 1e3)}{SPACE}GB"
