"""Sentences on the comparison of the two arms: what was tested, what was shown, in whose favour, how clearly."""

import pandas as pd

from terranas.core.formats import count, counted, fixed, listed, percent, sentence
from terranas.report.formats import indicator_name, indicator_value
from terranas.search.schema import ARM_NAMES

A12_MEANING = (
    "A12 (Vargha and Delaney 2000) is the share of pairs of one surrogate and one random search in which the surrogate "
    "search has the larger value, ties counting half: 0.5 is no difference, 0 and 1 are the extremes."
)


def budget_sentences(tests: pd.DataFrame) -> list[str]:
    """Say which budgets are compared and whether both arms pay the same."""
    if tests.empty:
        return []
    pairs = tests.drop_duplicates(["surrogate_budget", "random_budget"])
    compared = listed([f"{count(s)} with {count(r)}" for s, r in zip(*_budgets(pairs), strict=True)])
    sample = int((pairs["surrogate_charged"] - pairs["surrogate_budget"]).iloc[0])
    line = (
        f"Searches from surrogate and from random starts are compared at these pairs of budgets: {compared} "
        f"evaluations. What trained the surrogate ({counted(sample, 'architecture')}) is charged to its arm"
    )
    extra = pairs["random_budget"] - pairs["surrogate_charged"]
    if (extra == 0).all():
        return [f"{line}, so that both arms of a pair cost the same."]
    return [f"{line}; in {count((extra != 0).sum())} of {counted(len(pairs), 'pair')} the arms do not cost the same."]


def verdict_sentence(tests: pd.DataFrame) -> str:
    """Say how many of the tests are significant after Holm's correction."""
    if tests.empty:
        return "No test between the arms could be made."
    pairs = len(tests.drop_duplicates(["surrogate_budget", "random_budget"]))
    family = (
        f"{counted(len(tests), 'Mann-Whitney test')} ({counted(tests['indicator'].nunique(), 'indicator')}, "
        f"{counted(pairs, 'pair')} of budgets)"
    )
    level = f"at the level {fixed(tests['alpha'].iloc[0])} after Holm's correction"
    found = int(tests["significant"].sum())
    if not found:
        return f"None of {family} is significant {level}: no difference between the arms was shown."
    return f"{count(found)} of {family} {'is' if found == 1 else 'are'} significant {level}."


def indicator_sentences(tests: pd.DataFrame) -> list[str]:
    """Say for each indicator which arm the significant tests favour and how large the clearest effect is."""
    lines = []
    unclear = []
    for indicator, rows in tests.groupby("indicator", sort=False):
        name = indicator_name(str(indicator))
        shown = rows[rows["significant"]]
        if shown.empty:
            unclear.append(name)
            continue
        favours = [
            f"{ARM_NAMES[arm]} in {count((shown['favours'] == arm).sum())}"
            for arm in ARM_NAMES
            if (shown["favours"] == arm).any()
        ]
        clearest = shown.iloc[int((shown["a12"] - 0.5).abs().to_numpy().argmax())]
        medians = (
            f"{indicator_value(str(indicator), clearest['surrogate_median'])} against "
            f"{indicator_value(str(indicator), clearest['random_median'])}"
        )
        interval = percent(1 - clearest["alpha"], 0 if round(100 * clearest["alpha"]) == 100 * clearest["alpha"] else 1)
        lines.append(
            f"{sentence(name)} ({clearest['better']} is better): the tests favour {listed(favours)} of "
            f"{counted(len(rows), 'pair')} of budgets. The effect is largest at {count(clearest['surrogate_budget'])} "
            f"(surrogate) against {count(clearest['random_budget'])} (random): medians {medians}, A12 "
            f"{fixed(clearest['a12'])} ({interval} interval {fixed(clearest['a12_low'])} to "
            f"{fixed(clearest['a12_high'])})."
        )
    if unclear:
        lines.append(f"No difference between the arms was shown for {listed(unclear)}.")
    if (same := int((tests["method"] == "degenerate").sum())) > 0:
        lines.append(f"In {counted(same, 'test')} all searches of both arms have the same value.")
    return lines


def ceiling_sentences(runs: pd.DataFrame) -> list[str]:
    """Warn where many searches saw the whole space: their fronts are the true front, however they started."""
    exhausted = runs["stopped_by"] == "space_exhausted"
    if not exhausted.any():
        return []
    return [
        f"{count(exhausted.sum())} of {counted(len(runs), 'search', 'searches')} (all arms and budgets) evaluated "
        "every architecture of the benchmark. Such a search ends with the true front whatever it started from: where "
        "many do, the arms can hardly differ."
    ]


def prefix_sentences(tests: pd.DataFrame) -> list[str]:
    """Warn that the tests of several budgets look at the same searches at different times."""
    if len(tests.drop_duplicates(["surrogate_budget", "random_budget"])) < 2:
        return []
    return [
        "A search with a smaller budget is the beginning of the one with a larger budget: the pairs of budgets are "
        "looks at the same searches at different times, not independent repetitions."
    ]


def _budgets(pairs: pd.DataFrame) -> tuple[list[int], list[int]]:
    return pairs["surrogate_budget"].tolist(), pairs["random_budget"].tolist()
