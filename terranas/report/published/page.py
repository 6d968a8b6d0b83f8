"""The page docs/results.md: published values beside terranas' own."""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import get_args

from terranas.core.files import write_text
from terranas.core.formats import listed, percent
from terranas.report.published import (
    landscape_findings,
    search_findings,
    space_findings,
    surrogate_findings,
    training_findings,
)
from terranas.report.published.claim import Claim, Finding, Verdict
from terranas.report.published.claims import CLAIMS, SPEARMAN_PLACE, TOPICS
from terranas.report.published.inputs import Inputs
from terranas.report.published.pictures import save_pictures
from terranas.report.published.studies import PART, STUDIES
from terranas.report.published.texts import COMMAND, HOW, INTRODUCTION, SOURCES

FINDINGS: Mapping[str, Mapping[str, Callable[[Inputs], Finding]]] = {
    "space": space_findings.FINDINGS,
    "landscape": landscape_findings.FINDINGS,
    "training": training_findings.FINDINGS,
    "surrogates": surrogate_findings.FINDINGS,
    "searches": search_findings.FINDINGS,
}
"""What is computed beside each claim, by topic and id."""

_VERDICTS = {
    "agrees": "agree",
    "agrees in part": "agree in part",
    "differs": "differ",
    "contradicted": "are contradicted",
}

HEADER = ["", "stated, and where", "published", "ours", "ours, published way", "agreement"]


def write_page(inputs: Inputs, output: str | Path) -> None:
    """Write ``results.md`` and its pictures in ``images/`` below a folder.

    Raises:
        DataError: files are missing; all of them are named.
        TableError: a study's tables were written by another version of terranas.
    """
    inputs.require(TOPICS)
    folder = Path(output)
    text = page(inputs)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    save_pictures(inputs, folder / "images")
    write_text(folder / "results.md", text)


def page(inputs: Inputs) -> str:
    """Return the page in Markdown."""
    findings = {topic: topic_findings(topic, inputs) for topic in TOPICS}
    sections = [topic_section(topic, inputs, findings[topic]) for topic in TOPICS]
    summary = _filled(summary_sentence({name: found for part in findings.values() for name, found in part.items()}))
    return "\n".join([INTRODUCTION, summary + "\n", *sections, HOW, SOURCES])


def topic_findings(topic: str, inputs: Inputs) -> dict[str, Finding]:
    """Return what is computed beside the claims of a topic, by claim; only the inputs that it needs are read."""
    return {name: find(inputs) for name, find in FINDINGS[topic].items()}


def summary_sentence(findings: Mapping[str, Finding]) -> str:
    """Say how many claims hold, and name those that do not."""
    by_verdict = {
        verdict: [name for name, found in findings.items() if found.verdict == verdict] for verdict in get_args(Verdict)
    }
    parts = [f"{len(names)} {_VERDICTS[verdict]}" for verdict, names in by_verdict.items() if names]
    named = [name for verdict in ("differs", "contradicted") for name in by_verdict[verdict]]
    lacking = [claim.id for claim in CLAIMS if claim.needs]
    return (
        f"In short: of {len(CLAIMS)} claims {len(findings)} are computed here, of which {listed(parts)}"
        + (f" ({', '.join(named)})" if named else "")
        + f". {len(lacking)} need images or GPUs that were not at hand ({', '.join(lacking)})."
    )


def topic_section(topic: str, inputs: Inputs, findings: Mapping[str, Finding]) -> str:
    """Return the section of one topic: the table of its claims, the slips, and what belongs to it.

    Args:
        topic: key of ``TOPICS``.
        inputs: published files and studies; only what the topic needs is read.
        findings: as from :func:`topic_findings`.
    """
    claims = [claim for claim in CLAIMS if claim.topic == topic]
    rows = [_row(claim, findings.get(claim.id)) for claim in claims]
    parts = [f"## {TOPICS[topic]}", "", markdown_table([HEADER, *rows]), ""]
    parts += ["How ours is computed:", ""]
    parts += [_filled(f"- {claim.id}: {claim.how}. {claim.slip}") for claim in claims if claim.how]
    parts += ["", *(text if text[:1] in ("|", "!") else _filled(text) for text in _BESIDES[topic](inputs))]
    return "\n".join(parts)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table in Markdown, the header first.

    Raises:
        ValueError: a cell would break the table.
    """
    for cell in (cell for row in rows for cell in row):
        if "|" in cell or "\n" in cell:
            raise ValueError(f"a cell of a table in Markdown has no '|' and no line break, got {cell!r}")
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _filled(text: str) -> str:
    """Break a paragraph or a point of a list into lines."""
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(text, 130, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _row(claim: Claim, finding: Finding | None) -> list[str]:
    stated = f"{claim.statement} ({claim.place})"
    if finding is None:
        return [claim.id, stated, claim.published, f"not computed: needs {claim.needs}", "", ""]
    return [claim.id, stated, claim.published, finding.ours, finding.published_way, finding.agreement]


def _landscape(inputs: Inputs) -> Iterable[str]:
    return [
        "Cells of one walk are neighbours: intervals over cells (L5, L7) take them as independent and are too narrow.",
        "",
        "Of the whole CIFAR-10 table the thesis publishes no landscape. Ours: "
        + " ".join(landscape_findings.whole_table(inputs)),
        "",
    ]


def _surrogates(inputs: Inputs) -> Iterable[str]:
    return [
        "Mean Spearman correlations with held-out cells. Published: figure 4.5, numbers of "
        f"`{SPEARMAN_PLACE.split(',')[0]}`,{','.join(SPEARMAN_PLACE.split(',')[1:])}. Ours: five repeats. The thesis "
        "names no parameters of XGBoost; the published way is taken to be its defaults.",
        "",
        markdown_table(surrogate_findings.size_table(inputs)),
        "",
        "The cells of the known part are no random sample of the space, and easier to rank; the whole space has test "
        "instead of validation accuracy. Neither is the published setting, so that the levels may differ.",
        "",
        _picture(
            "results_surrogates.png",
            "Spearman's correlation by number of training architectures, for validation accuracy and training time: "
            "published, and ours with two settings of XGBoost",
        ),
        "",
    ]


def _searches(inputs: Inputs) -> Iterable[str]:
    share = search_findings.predicted_share(inputs, PART)
    return [
        f"In the study behind these rows, {PART.known}; "
        f"{percent(share, 0)} of the points on the final fronts are predictions. The thesis had all measured. The same "
        "comparison where every cell is known, with other objectives (CIFAR-10 test accuracy against MACs):",
        "",
        markdown_table(search_findings.complete_table(inputs)),
        "",
        _picture(
            "results_searches.png",
            "Effect of the starts at four pairs of budgets, in the right and in the published way, and the side that "
            "the thesis names; filled points are significant after Holm's correction",
        ),
        "",
        "Median hypervolume at the largest budget (share of the box between the worst and the best known values), "
        "over 30 runs; the reference is the front of all values in the searched table. The thesis "
        "publishes no hypervolume. The released code's value is none: it mixes a maximised axis into a minimising "
        "indicator (`src/metrics.py`, `get_hypervolume`).",
        "",
        markdown_table(search_findings.hypervolumes(inputs)),
        "",
        "What each study knows: " + "; ".join(f"{study.title}: {study.known}" for study in STUDIES) + ".",
        "",
    ]


def _picture(name: str, words: str) -> str:
    caption = _filled(f"*{words}. Made by `{COMMAND}`.*")
    return f"![{words}](images/{name})\n\n{caption}"


_BESIDES: Mapping[str, Callable[[Inputs], Iterable[str]]] = {
    "space": lambda _: [],
    "landscape": _landscape,
    "training": lambda _: [],
    "surrogates": _surrogates,
    "searches": _searches,
}
