"""What terranas finds beside the claims on searches."""

from collections.abc import Callable

import pandas as pd

from terranas.core.formats import count, fixed, percent, significant, span
from terranas.report.published.claim import Finding, Verdict
from terranas.report.published.inputs import Inputs
from terranas.report.published.studies import PART, STUDIES, WHOLE, Study
from terranas.search.arms import ARM_NAMES, ARMS

RIGHT = ("surrogate", "random")
PUBLISHED = ("surrogate_published", "random_published")
ALPHA = 0.05
"""Level of the published tests."""

DISTANCE, PUBLISHED_DISTANCE = "mean_pairwise_distance", "published_mean_pairwise_distance"


def pairs(inputs: Inputs, study: Study, arms: tuple[str, str], indicator: str) -> pd.DataFrame:
    """Return the tests of one indicator between two arms, schema ``comparison.tests``, ascending by budget."""
    tests = inputs.tests(study)
    chosen = (tests["first_arm"] == arms[0]) & (tests["second_arm"] == arms[1]) & (tests["indicator"] == indicator)
    return tests[chosen].sort_values("first_budget")


def best_time(inputs: Inputs) -> Finding:
    """Which starts have the lower best training time (Q1)."""
    right, published = (pairs(inputs, PART, arms, f"best_{PART.cost}") for arms in (RIGHT, PUBLISHED))
    corrected = _won(published, 0, "significant")
    return Finding(
        f"{_judged(right, 0)}; {_medians(right, _seconds)}",
        _agreement(right, published, 0),
        _both(right, published, 0) + (f" ({_budgets(corrected)})" if len(corrected) else ""),
        f"{_judged(published, 0)}; {_medians(published, _seconds)}",
    )


def best_time_by_budget(inputs: Inputs) -> Finding:
    """Whether the best training time falls with the budget (Q2)."""
    indicator = f"best_{PART.cost}"
    texts: list[str] = []
    falls: dict[str, bool] = {}
    for arms in (RIGHT, PUBLISHED):
        rows = pairs(inputs, PART, arms, indicator)
        ends = {arm: rows[f"{place}_median"].iloc[[0, -1]].tolist() for arm, place in zip(arms, _PLACES, strict=True)}
        falls |= {arm: last < first for arm, (first, last) in ends.items()}
        words = [f"{_STARTS[arm]} {_seconds(first)} to {_seconds(last)}" for arm, (first, last) in ends.items()]
        texts.append(", ".join(words))
    surrogate, random = (falls[arm] for arm in PUBLISHED)
    return Finding(
        texts[0],
        "agrees" if all(falls.values()) else "agrees in part" if any(falls.values()) else "differs",
        "published way: "
        + (
            "both fall"
            if surrogate and random
            else "falls for random starts only"
            if random
            else "falls for surrogate starts only"
            if surrogate
            else "falls for neither"
        )
        + ("" if any(falls[arm] for arm in RIGHT) else "; right way: neither changes, the searches end before"),
        texts[1],
    )


def best_accuracy(inputs: Inputs) -> Finding:
    """Which starts have the better best accuracy (Q3)."""
    found = [pairs(inputs, PART, arms, f"best_{PART.accuracy}") for arms in (RIGHT, PUBLISHED)]
    right, published = found
    return Finding(
        f"{_judged(right, 1)}; {_medians(right, _accuracy)}",
        _agreement(right, published, 1),
        _both(right, published, 1),
        f"{_judged(published, 1)}; {_medians(published, _accuracy)}",
    )


def accuracy_range(inputs: Inputs) -> Finding:
    """Range of the best accuracy over all runs (Q4)."""
    table = inputs.indicators(PART)
    right, published = (table.loc[table["arm"].isin(arms), f"best_{PART.accuracy}"] for arms in (RIGHT, PUBLISHED))
    inside = ((published >= 0.935) & (published <= 0.955)).mean()
    return Finding(
        span(right, _range),
        "agrees" if inside == 1 else "agrees in part",
        f"{percent(inside, 0)} of the runs of the published way end within the published range",
        span(published, _range),
    )


def diversity(inputs: Inputs) -> Finding:
    """Which starts have the more diverse fronts (Q5)."""
    right = pairs(inputs, PART, RIGHT, DISTANCE)
    slipped = pairs(inputs, PART, PUBLISHED, PUBLISHED_DISTANCE)
    mended = pairs(inputs, PART, PUBLISHED, DISTANCE)
    return Finding(
        f"{_judged(right, 0)}; {_medians(right, _distance)}",
        _agreement(right, slipped, 0),
        f"{_both(right, slipped, 0)}; {_at(mended, 0)} with the published search and the right distance",
        f"{_judged(slipped, 0)}; {_medians(slipped, _distance)}",
    )


def complete_table(inputs: Inputs) -> list[list[str]]:
    """Return the three conclusions on the complete CIFAR-10 table, the header first."""
    rows = [["conclusion of the thesis", "right way", "published way"]]
    for words, indicators, winner in (
        ("surrogate starts: lower best cost (here MACs)", (f"best_{WHOLE.cost}",) * 2, 0),
        ("random starts: better best accuracy (here test)", (f"best_{WHOLE.accuracy}",) * 2, 1),
        ("surrogate starts: higher diversity", (DISTANCE, PUBLISHED_DISTANCE), 0),
    ):
        found = [
            pairs(inputs, WHOLE, arms, indicator)
            for arms, indicator in zip((RIGHT, PUBLISHED), indicators, strict=True)
        ]
        rows.append([words, *(f"{_verdict(part, winner)}: {_judged(part, winner)}" for part in found)])
    return rows


def hypervolumes(inputs: Inputs) -> list[list[str]]:
    """Return the median hypervolume of each arm at its largest budget, by study, the header first."""
    tables = {study.name: inputs.indicators(study) for study in STUDIES}
    rows = [["arm", *(study.title for study in STUDIES)]]
    best = [table["hypervolume"] + table["hypervolume_regret"] for table in tables.values()]
    rows.append(["reference front", *(fixed(float(values.median()), 4) for values in best)])
    for arm in ARMS:
        cells = []
        for table in tables.values():
            part = table[table["arm"] == arm]
            largest = part[part["budget"] == part["budget"].max()]
            cells.append(fixed(float(largest["hypervolume"].median()), 4) if len(part) else "not run")
        rows.append([ARM_NAMES[arm], *cells])
    return rows


def predicted_share(inputs: Inputs, study: Study) -> float:
    """Return the mean share of predicted points in the final fronts of the compared arms."""
    table = inputs.indicators(study)
    return float(table.loc[table["arm"].isin(RIGHT + PUBLISHED), "predicted"].mean())


_PLACES = ("first", "second")
_STARTS = dict.fromkeys((RIGHT[0], PUBLISHED[0]), "surrogate starts") | dict.fromkeys(
    (RIGHT[1], PUBLISHED[1]), "random starts"
)


def _won(rows: pd.DataFrame, winner: int, by: str) -> pd.DataFrame:
    """Return the rows that are significant in favour of an arm, by Holm's correction or by p alone."""
    if by == "significant":
        return rows[rows["significant"] & (rows["favours"] == rows[f"{_PLACES[winner]}_arm"])]
    larger_is_ahead = (rows["better"] == "higher") == (winner == 0)
    # A12 is the chance that the first arm's value is the larger one
    ahead = (larger_is_ahead & (rows["a12"] > 0.5)) | (~larger_is_ahead & (rows["a12"] < 0.5))
    return rows[(rows["p"] < ALPHA) & ahead]


def _judged(rows: pd.DataFrame, winner: int) -> str:
    """Say at how many pairs the claimed arm is ahead, with and without Holm's correction, and the other one."""
    other = len(_won(rows, 1 - winner, "significant"))
    return (
        f"{len(_won(rows, winner, 'significant'))} of {len(rows)} pairs significant "
        f"({len(_won(rows, winner, 'p'))} without Holm's correction)"
        + (f", {other} for the other side" if other else "")
    )


def _verdict(rows: pd.DataFrame, winner: int) -> str:
    for_it, against = (len(_won(rows, place, "significant")) for place in (winner, 1 - winner))
    if for_it and against:
        return "mixed"
    return "supported" if for_it else "contradicted" if against else "open"


def _at(rows: pd.DataFrame, winner: int) -> str:
    """Give the verdict with the pairs of budgets that it rests on."""
    verdict = _verdict(rows, winner)
    if verdict not in ("supported", "contradicted"):
        return verdict
    side = winner if verdict == "supported" else 1 - winner
    return f"{verdict} at {len(_won(rows, side, 'significant'))} of {len(rows)} pairs"


def _agreement(right: pd.DataFrame, published: pd.DataFrame, winner: int) -> Verdict:
    """Return "agrees" where both ways support a claim, "contradicted" where one contradicts it and none supports it."""
    verdicts = {_verdict(right, winner), _verdict(published, winner)}
    if "supported" in verdicts:
        return "agrees" if len(verdicts) == 1 else "agrees in part"
    return "contradicted" if "contradicted" in verdicts else "differs"


def _both(right: pd.DataFrame, published: pd.DataFrame, winner: int) -> str:
    return f"{_at(right, winner)} in the right way; {_at(published, winner)} in the published way"


def _medians(rows: pd.DataFrame, text: Callable[[float], str]) -> str:
    """Give the medians at the smallest pair of budgets."""
    row = rows.iloc[0]
    return f"medians {text(row['first_median'])} and {text(row['second_median'])} at {_budgets(rows.iloc[:1])}"


def _budgets(rows: pd.DataFrame) -> str:
    return ", ".join(
        f"{count(first)} against {count(second)}"
        for first, second in zip(rows["first_budget"], rows["second_budget"], strict=True)
    )


def _seconds(value: float) -> str:
    return f"{fixed(value, 1)} s"


def _range(value: float) -> str:
    return fixed(value, 3)


def _accuracy(value: float) -> str:
    return fixed(value, 4)


def _distance(value: float) -> str:
    return significant(value, 3)


FINDINGS = {
    "Q1": best_time,
    "Q2": best_time_by_budget,
    "Q3": best_accuracy,
    "Q4": accuracy_range,
    "Q5": diversity,
}
"""What is computed beside each claim of the topic."""
