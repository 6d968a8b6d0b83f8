"""Tables of the searches for people: arms, effects, tests, ranks, how searches ended, and what surrogates are worth."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from terranas.benchmark.schema import metric_name
from terranas.comparison.figures import (
    Objective,
    arm_words,
    arms_of,
    at_largest_budgets,
    indicator_text,
    indicator_words,
)
from terranas.comparison.findings import JUDGED, TEST_NAMES, versus
from terranas.comparison.study import SearchStudy, of_pair
from terranas.core.formats import (
    MISSING,
    count,
    counted,
    fixed,
    halves,
    listed,
    p_value,
    percent,
    sentence,
    span,
)
from terranas.core.page import Head, Table
from terranas.search.schema import STOP_REASONS
from terranas.surrogates.figures import surrogate_words

A12_MEANING = (
    "A12 (Vargha and Delaney 2000) is the share of pairs of a search of the first arm and one of the second in which "
    "the first has the larger value, ties counting half: 0.5 is no difference, 0 and 1 are the extremes."
)

_RUN_NAMES = {
    "evaluations": "Evaluations",
    "distinct": "Distinct",
    "predicted": "Of them predicted",
    "without_value": "Passed over without a value",
}

STOP_NAMES = {
    "budget": "Spent the budget",
    "nothing_left_to_expand": "Nothing left to expand",
    "space_exhausted": "Exhausted the space",
}

_OMNIBUS = {"friedman": "Friedman", "kruskal_wallis": "Kruskal-Wallis"}


def arms(study: SearchStudy) -> Table:
    """Return all arms at their largest budgets: medians of the indicators, and ranks by hypervolume."""
    final = at_largest_budgets(study.indicators)
    predicted = bool(final["predicted"].any())
    ranks, where = hypervolume_ranks(study.ranks)
    shown = ["hypervolume", *(f"best_{objective.name}" for objective in study.objectives), "size"]
    rows: list[list[str]] = []
    for arm in arms_of(final):
        own = final[final["arm"] == arm]
        medians = own[shown].median()
        quartiles = own["hypervolume"].quantile([0.25, 0.75])
        rows.append(
            [
                sentence(arm_words(arm)),
                count(own["budget"].iloc[0]),
                count(own["charged"].iloc[0]),
                indicator_text("hypervolume", medians["hypervolume"], study.objectives),
                span(quartiles, lambda value: indicator_text("hypervolume", value, study.objectives)),
                fixed(ranks.get(arm, float("nan")), 1),
                *(indicator_text(name, medians[name], study.objectives) for name in shown[1:]),
                *([percent(own["predicted"].mean())] if predicted else []),
            ]
        )
    heads = [Head("Arm", "text"), Head("Budget"), Head("With sample"), Head("Median hypervolume"), Head("Middle half")]
    heads += [Head("Mean rank"), *(Head(sentence(f"best {objective.words}")) for objective in study.objectives)]
    heads += [Head("Size of the front"), *([Head("Predicted")] if predicted else [])]
    ranked = f" {where}" if where else ""
    shares = " Predicted: mean share of members of the front whose values are not measured." if predicted else ""
    return Table(
        "All arms at their largest budgets: evaluations allowed, the same with the training sample that is charged, "
        f"medians over the seeds, and quartiles of the hypervolume (the middle half).{shares}{ranked}",
        heads,
        rows,
    )


def hypervolume_ranks(ranks: pd.DataFrame) -> tuple[dict[str, float], str]:
    """Return the mean ranks by hypervolume at the largest budgets, or over all where no others are known.

    Args:
        ranks: schema ``comparison.ranks``.

    Returns:
        Mean rank by arm, and a sentence on what it is and what the omnibus test says; both empty without ranks.
    """
    own = ranks[ranks["indicator"] == "hypervolume"]
    if own.empty:
        return {}, ""
    # levels are called 'all', '1 of 4', ..., '4 of 4'
    last = own["level"].map(lambda level: len(set(level.split(" of "))) == 1 and level != "all")
    own = own[last] if last.any() else own
    own = own[(own["test"] == own["test"].iloc[0]) & (own["level"] == own["level"].iloc[0])]
    first = own.iloc[0]
    friedman = first["test"] == "friedman"
    where = "within pairs of budgets" if friedman else "among all searches with the largest budgets"
    differ = "differ" if first["significant"] else "are not shown to differ"
    text = (
        f"The mean rank is that by hypervolume {where}, 1 is best; by {_OMNIBUS[first['test']]}'s test the arms "
        f"{differ} (p {_equals(first['p_holm'])} after Holm's correction)."
    )
    return dict(zip(own["arm"], own["mean_rank"], strict=True)), text


def conclusions(table: pd.DataFrame, pair: Sequence[str], objectives: Sequence[Objective]) -> Table:
    """Return what becomes of the conclusions of the thesis for a pair of arms, with numbers.

    Args:
        table: schema ``comparison.conclusions``.
        pair: a pair of arms that restates conclusions.
        objectives: of the study.
    """
    own = of_pair(table, pair)
    rows = [
        [
            sentence(row["statement"]),
            indicator_words(row["indicator"], objectives),
            row["verdict"],
            f"{count(row['first_wins'])} / {count(row['second_wins'])} of {count(row['tests'])}",
            " / ".join(
                indicator_text(row["indicator"], row[f"{arm}_median"], objectives) for arm in ("first", "second")
            ),
            fixed(row["a12"]),
            p_value(row["p_holm"]),
        ]
        for row in own[own["verdict"].isin(JUDGED)].to_dict("records")
    ]
    heads = [Head(text, "text") for text in ("Conclusion", "By", "Verdict")]
    heads += [Head(text) for text in ("Significant", "Medians", "A12", "p (Holm)")]
    return Table(
        f"Conclusions of the thesis of Demir, {versus(pair)}: pairs of budgets that are significant in "
        "favour of the first / of the second arm, and medians of both, A12 and adjusted p at the pair with the "
        f"clearest effect. {A12_MEANING}",
        heads,
        rows,
    )


def effects(tests: pd.DataFrame, pair: Sequence[str], objectives: Sequence[Objective]) -> Table:
    """Return A12 of every indicator (rows) and pair of budgets (columns), with the arm a significant test favours.

    Args:
        tests: rows of the schema ``comparison.tests`` of one pair of arms.
        pair: that pair.
        objectives: of the study.
    """
    own = tests[tests["family"] == "main"]
    budgets = list(own[["first_budget", "second_budget"]].drop_duplicates().itertuples(index=False, name=None))
    heads = [Head("Indicator", "text"), Head("Better", "text"), *(Head(f"{a:,} against {b:,}") for a, b in budgets)]
    rows = []
    for indicator, group in own.groupby("indicator", sort=False):
        found = {(row["first_budget"], row["second_budget"]): row for row in group.to_dict("records")}
        entries = [_effect(found[both]) if both in found else MISSING for both in budgets]
        name = sentence(indicator_words(str(indicator), objectives))
        rows.append([name, str(group["better"].iloc[0]), *entries])
    return Table(
        f"Effect sizes by pair of budgets, {versus(pair)}. {A12_MEANING} Where the test is significant after Holm's "
        "correction, it is said whether the values of the first or of the second arm are better.",
        heads,
        rows,
    )


def all_tests(tests: pd.DataFrame, pair: Sequence[str], objectives: Sequence[Objective]) -> Table:
    """Return every test of a pair of arms with medians, p values and effect sizes; arguments as :func:`effects`."""
    rows = [
        [
            sentence(indicator_words(row["indicator"], objectives)),
            f"{row['first_budget']:,} / {row['second_budget']:,}",
            indicator_text(row["indicator"], row["first_median"], objectives),
            indicator_text(row["indicator"], row["second_median"], objectives),
            p_value(row["p"]),
            p_value(row["p_holm"]),
            *(p_value(row[f"{name}_p_holm"]) for name in ("mann_whitney", "wilcoxon", "kolmogorov_smirnov", "welch")),
            _estimate(row, "a12"),
            _estimate(row, "cliffs_delta"),
            _favoured(row),
        ]
        for row in tests.to_dict("records")
    ]
    heads = [Head("Indicator", "text"), Head("Budgets"), Head("Median, first"), Head("Median, second"), Head("p")]
    heads += [Head(f"p (Holm){of}") for of in ("", ", Mann-Whitney", ", Wilcoxon", ", Kolmogorov-Smirnov", ", Welch")]
    heads += [Head("A12 (interval)"), Head("Cliff's delta (interval)"), Head("Favours", "text")]
    searches = span([*tests["first_n"], *tests["second_n"]], count)
    decides = listed([name for test, name in TEST_NAMES.items() if (tests["test"] == test).any()] or ["no"])
    families = " ".join(f"Family '{name}': {own.iloc[0]}." for name, own in tests.groupby("family")["family_members"])
    return Table(
        f"Two-sided {decides} tests of {versus(pair)}, {searches} searches each; intervals by bootstrap. The tests by "
        f"name stand beside them for comparison, each adjusted among its own kind. {families}".strip(),
        heads,
        rows,
        folded=f"{sentence(counted(len(rows), 'test'))} of {versus(pair)}, one by one",
    )


def ranks(table: pd.DataFrame, objectives: Sequence[Objective]) -> Table:
    """Return the mean ranks of all arms by indicator and level, with the omnibus tests."""
    names = arms_of(table)
    keys = ["indicator", "level", "test"]
    rows = []
    for (indicator, level, test), group in table.groupby(keys, sort=False):
        by_arm = dict(zip(group["arm"], group["mean_rank"], strict=True))
        first = group.iloc[0]
        rows.append(
            [
                sentence(indicator_words(str(indicator), objectives)),
                str(level),
                _OMNIBUS[str(test)],
                count(first["n"]),
                p_value(first["p_holm"]),
                fixed(first["critical_difference"]),
                *(fixed(by_arm.get(arm, float("nan"))) for arm in names),
            ]
        )
    heads = [Head("Indicator", "text"), Head("Budgets", "text"), Head("Test", "text"), Head("n"), Head("p (Holm)")]
    heads += [Head("Critical difference"), *(Head(sentence(arm_words(arm))) for arm in names)]
    taken = table[["test", "assumption"]].drop_duplicates().itertuples(index=False, name=None)
    assumptions = " ".join(f"{_OMNIBUS[test]}: {text}." for test, text in taken)
    return Table(
        "Mean ranks of the arms, 1 is best: Friedman's among the arms, over the medians at all pairs of budgets; "
        "Kruskal and Wallis's among all searches at one of them ('2 of 4' is the second). Friedman's that differ by "
        "more than the critical difference differ significantly by Nemenyi's test (Demsar 2006). "
        f"{assumptions}".strip(),
        heads,
        rows,
        folded=f"Ranks of {counted(len(names), 'arm')}, by indicator and budgets",
    )


def search_ends(runs: pd.DataFrame) -> Table:
    """Return how many searches of each arm and budget ended for which reason."""
    # what no search met needs no column
    medians_of = ["evaluations", "distinct", *(name for name in ("predicted", "without_value") if runs[name].any())]
    reasons_of = [reason for reason in STOP_REASONS if (runs["stopped_by"] == reason).any()]
    rows = []
    for arm in arms_of(runs):
        for _, group in runs[runs["arm"] == arm].groupby("budget"):
            starts = MISSING if not group["starts_wanted"].any() else span(group["starts"], count)
            costs = (count(group[name].iloc[0]) for name in ("budget", "charged"))
            medians = map(halves, group[medians_of].median())
            reasons = (count((group["stopped_by"] == reason).sum()) for reason in reasons_of)
            rows.append([sentence(arm_words(arm)), *costs, starts, *medians, *reasons])
    heads = [Head("Arm", "text"), Head("Budget"), Head("With sample"), Head("Starts")]
    heads += [Head(_RUN_NAMES[name]) for name in medians_of] + [Head(STOP_NAMES[reason]) for reason in reasons_of]
    searches = span(runs.groupby(["arm", "budget"]).size(), count)
    return Table(
        f"The searches of each arm and budget, {searches} each: medians of their evaluations and of the different "
        "architectures evaluated, and how many searches ended for which reason.",
        heads,
        rows,
    )


def plateaus(table: pd.DataFrame) -> Table:
    """Return from how many training architectures on surrogates hardly get better; schema ``surrogates.plateaus``."""
    rows = [
        [
            sentence(surrogate_words(row["surrogate"])),
            sentence(metric_name(row["objective"])),
            MISSING if pd.isna(row["size"]) else count(row["size"]),
            fixed(row["mean"]),
            count(row["largest_size"]),
            fixed(row["largest_mean"]),
            count(row["repeats"]),
        ]
        for row in table.to_dict("records")
    ]
    heads = [Head("Surrogate", "text"), Head("Objective", "text"), Head("Plateau from"), Head("Spearman there")]
    heads += [Head("Largest size"), Head("Spearman there"), Head("Repeats")]
    tolerance, alpha = table["tolerance"].iloc[0], table["alpha"].iloc[0]
    return Table(
        f"Training-set size from which on Spearman's correlation is shown to be at most {tolerance:g} below that of "
        f"the largest size (one-sided paired t-tests at the level {alpha:g}, from the largest down). {MISSING}: it "
        "still rose before the largest size, or there are too few repeats to tell.",
        heads,
        rows,
    )


def calibration(table: pd.DataFrame) -> Table:
    """Return how often the surrogate benchmark's intervals hold the truth; schema ``surrogates.calibration``."""
    levels = sorted(table["level"].unique().tolist())
    rows = []
    for metric, group in table.groupby("metric", sort=False):
        first, held = group.iloc[0], dict(zip(group["level"], group["coverage"], strict=True))
        rows.append(
            [
                sentence(metric_name(str(metric))),
                *(percent(held.get(level, float("nan"))) for level in levels),
                *(fixed(first[name]) for name in ("spearman", "r2")),
                *(count(first[name]) for name in ("members", "trained", "held_out")),
            ]
        )
    heads = [Head("Metric", "text"), *(Head(f"In the {percent(level, 0)} interval") for level in levels)]
    heads += [Head(text) for text in ("Spearman", "R²", "Members", "Trained on", "Tested on")]
    return Table(
        "The surrogate benchmark, which fills in what the table does not know: share of held-out values that lie in "
        "its prediction intervals, and its scores. An interval that holds more than it should is too wide, one that "
        "holds less is too narrow.",
        heads,
        rows,
    )


def _effect(row: Any) -> str:
    places = {row["first_arm"]: ", first", row["second_arm"]: ", second"}
    return fixed(row["a12"]) + places.get(row["favours"], "")


def _favoured(row: Any) -> str:
    return "neither" if row["favours"] == "neither" else arm_words(row["favours"])


def _estimate(row: Any, name: str) -> str:
    return f"{fixed(row[name])} ({fixed(row[f'{name}_low'])} to {fixed(row[f'{name}_high'])})"


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"
