"""What the page says of the benchmark tables and of their checks."""

import math
from collections.abc import Mapping
from typing import Any

from terranas.benchmark.schema import metric_name
from terranas.core.formats import MISSING, count, counted, listed, percent, sentence, significant, span
from terranas.core.page import Head, Table
from terranas.report.formats import metric_value

Reports = Mapping[str, Mapping[str, Any]]


def sentences(reports: Reports) -> list[str]:
    """Say how many tables there are and whether they agree with what was expected."""
    published = [name for name in reports if name != "study"]
    own = reports["study"]
    lines = [
        f"The study's own table knows {count(own['architectures'])} of the {count(own['space_size'])} architectures of "
        "its space."
    ]
    if not published:
        return lines
    checks = [check for name in published for check in reports[name]["checks"]]
    failed = [check["name"] for check in checks if not check["passed"]]
    stand = "stands" if len(published) == 1 else "stand"
    lines.append(f"{counted(len(published), 'published table')} {stand} beside it: {listed(published)}.")
    lines.append(
        f"All {count(len(checks))} checks of published values passed."
        if not failed
        else f"{count(len(failed))} of {count(len(checks))} checks of published values failed: {listed(failed)}."
    )
    return lines


def tables(reports: Reports) -> Table:
    """Return what each table holds."""
    rows = [
        (
            name,
            listed(list(report["datasets"])),
            count(report["rows"]),
            count(report["architectures"]),
            MISSING if report["coverage"] is None else percent(report["coverage"], 2),
            ", ".join(sorted(report["fidelities"], key=int)),
            span(map(float, report["repeats"]), count),
            count(len([device for device in report["devices"] if device])),
            count(len(report["metrics"])),
        )
        for name, report in reports.items()
    ]
    heads = (
        Head("Table", "text"),
        Head("Images", "text"),
        Head("Rows"),
        Head("Architectures"),
        Head("Of the space"),
        Head("Epochs"),
        Head("Repeats"),
        Head("Devices"),
        Head("Metrics"),
    )
    return Table(
        "The benchmark tables: one row an architecture, set of images, fidelity, repeat and device.", heads, rows
    )


def ranges(reports: Reports) -> Table:
    """Return the range of each metric of each table, and how many rows do not have it."""
    rows = [
        (
            name,
            sentence(metric_name(metric)),
            count(about["known"]),
            count(about["missing"]),
            *(metric_value(metric, about[end], about["unit"]) for end in ("min", "median", "max")),
        )
        for name, report in reports.items()
        for metric, about in report["metrics"].items()
    ]
    heads = [Head("Table", "text"), Head("Metric", "text")]
    heads += [Head(text) for text in ("Known", "Missing", "Smallest", "Median", "Largest")]
    caption = "The metrics of the benchmark tables. Missing are rows without a value, such as those of one device only."
    return Table(caption, heads, rows, folded=f"{counted(len(rows), 'metric')}, one by one")


def checks(reports: Reports) -> Table:
    """Return how far published values agree with what can be computed or counted."""
    rows = [
        (
            name,
            str(check["name"]),
            count(check["compared"]),
            count(check["disagreeing"]),
            _difference(check),
            significant(check["tolerance"]),
            str(check["example"]) or MISSING,
        )
        for name, report in reports.items()
        for check in report["checks"]
    ]
    heads = (
        Head("Table", "text"),
        Head("Check", "text"),
        Head("Values"),
        Head("Disagree"),
        Head("Largest difference"),
        Head("Tolerance"),
        Head("For example", "text"),
    )
    return Table("Checks of published values.", heads, rows, folded=f"{counted(len(rows), 'check')}, one by one")


def origins(reports: Reports) -> Table:
    """Return where the published tables come from and what to know about them."""
    rows = [
        (name, source["name"], source["licence"], source["citation"], " ".join(source["notes"]) or MISSING)
        for name, source in ((name, report["source"]) for name, report in reports.items() if "source" in report)
    ]
    heads = [Head(text, "text") for text in ("Table", "Source", "Licence", "Citation", "Notes")]
    return Table("Where the published tables come from.", heads, rows, folded="Origins, licences and notes")


def _difference(check: Mapping[str, Any]) -> str:
    """Return the largest difference of a check, which JSON holds as null when nothing was compared."""
    if check["largest"] is None or math.isnan(check["largest"]):
        return MISSING
    return significant(check["largest"]) + (" relative" if check["relative"] and check["largest"] else "")
