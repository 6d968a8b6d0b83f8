"""Sentences on the searches: what was searched and how, what the tests say, and what limits them."""

from collections.abc import Sequence

import pandas as pd

from terranas.comparison.figures import Objective, arm_words, arms_of, at_largest_budgets, indicator_words
from terranas.comparison.schema import REFERENCES
from terranas.comparison.study import SearchStudy, of_pair
from terranas.core.formats import count, counted, fixed, halves, listed, percent, sentence, span
from terranas.search.arms import CHARGED

JUDGED = ("supported", "contradicted", "open")
"""Verdicts on conclusions of the thesis; other rows of the conclusions name the better arm."""

TEST_NAMES = {"mann_whitney": "Mann-Whitney", "wilcoxon": "Wilcoxon"}

_STOPPED = {
    "space_exhausted": "exhausted the space",
    "nothing_left_to_expand": "stopped early because nothing was left to expand",
}
_SOURCES = {
    "surrogate": "the predicted front",
    "surrogate_spread": "the predicted front",
    "surrogate_published": "the predicted front",
    "sample": "the training sample",
}


def goal(objectives: Sequence[Objective]) -> str:
    """Return what is searched for: ``the highest validation micro accuracy and the lowest MACs``."""
    return listed([f"the {'highest' if o.maximised else 'lowest'} {o.words}" for o in objectives])


def versus(pair: Sequence[str]) -> str:
    """Return a pair of arms in words."""
    return f"{arm_words(pair[0])} against {arm_words(pair[1])}"


def searched_sentences(study: SearchStudy) -> list[str]:
    """Say what was searched, by which arms, with which budgets and seeds, and what their fronts are compared with."""
    seeds = int(study.runs["seed"].nunique())
    arms = "; ".join(arm_words(arm) for arm in study.arms)  # names hold commas
    return [
        f"{counted(len(study.arms), 'arm')} searched for architectures with {goal(study.objectives)} on "
        f"{study.dataset}, with {counted(seeds, 'seed')} each: {arms}.",
        *budget_sentences(study),
        reference_sentence(study),
        *predicted_sentences(study),
        *overshoot_sentences(study.runs),
    ]


def budget_sentences(study: SearchStudy) -> list[str]:
    """Say how many evaluations the arms may spend, and what the training sample of a surrogate costs."""
    budgets = {arm: tuple(sorted(own["budget"].unique().tolist())) for arm, own in study.runs.groupby("arm")}
    lines = []
    for charged in (True, False):
        arms = [arm for arm in study.arms if (arm in CHARGED) == charged]
        if not arms:
            continue
        sizes = listed([count(budget) for budget in budgets[arms[0]]])
        who = "; ".join(arm_words(arm) for arm in arms)
        if charged:
            lines.append(
                f"Arms that need a surrogate's training sample ({who}) may evaluate {sizes} architectures; the "
                f"{counted(study.training_sample, 'architecture')} of the sample are charged to them besides."
            )
        else:
            others = "The other arms" if len(arms) < len(study.arms) else "Arms"
            lines.append(f"{others} may evaluate {sizes} architectures.")
    for pair in study.pairs:
        lines += _cost_sentences(study.tests_of(pair), pair)
    return lines


def _cost_sentences(tests: pd.DataFrame, pair: Sequence[str]) -> list[str]:
    """Say whether both arms of a pair may spend the same, sample included."""
    if tests.empty:
        return []
    budgets = tests.drop_duplicates(["first_budget", "second_budget"])
    compared = listed([f"{count(a)} with {count(b)}" for a, b in _budgets(budgets)])
    line = f"{sentence(versus(pair))} is compared at {counted(len(budgets), 'pair')} of budgets ({compared})"
    unequal = int((budgets["first_charged"] != budgets["second_charged"]).sum())
    if not unequal:
        return [f"{line}, at which both arms may spend the same."]
    if unequal == len(budgets):
        return [f"{line}, at which the arms may not spend the same."]
    return [f"{line}; in {count(unequal)} of them the arms may not spend the same."]


def reference_sentence(study: SearchStudy) -> str:
    """Say what fronts are compared with and how good it is."""
    facts = study.reference
    size = f"{counted(facts['reference_points'], 'point')}, hypervolume {fixed(facts['reference_hypervolume'], 4)}"
    if facts["reference"] == REFERENCES[0]:
        return (
            f"Their fronts are compared with the true front ({size}): the table has measured values of every "
            "architecture of the space."
        )
    lead = f"Their fronts are compared with the front of all values at hand ({size}), because the table does not know "
    if study.unknown == "predict":
        return f"{lead}every architecture: predicted values may make that front better or worse than the true one."
    return f"{lead}every architecture: a better front may exist, from which the searches would be further away."


def predicted_sentences(study: SearchStudy) -> list[str]:
    """Say which share of the values is predicted, and how many architectures were passed over for want of a value."""
    lines = []
    evaluated, predicted = int(study.longest["distinct"].sum()), int(study.longest["predicted"].sum())
    if predicted:
        fronts = at_largest_budgets(study.indicators).groupby("arm")["predicted"].mean()
        lines.append(
            f"{percent(predicted / max(1, evaluated))} of the architectures that the longest searches evaluated have "
            "values that are predicted, not measured; on the final fronts their mean share is "
            f"{span(fronts, percent)}, depending on the arm."
        )
    else:
        lines.append("All values that the searches met are measured; none is predicted.")
    if passed := int(study.longest["without_value"].sum()):
        median = float(study.longest["without_value"].median())
        lines.append(
            f"The longest searches met {counted(passed, 'architecture')} without a value and passed over them (median "
            f"of a search: {halves(median)}), so that they do not show what a search of the whole space would find."
        )
    elif study.unknown == "skip":
        lines.append("Architectures without a value would be passed over; the searches met none.")
    return lines


def overshoot_sentences(runs: pd.DataFrame) -> list[str]:
    """Say where searches spent more than their budget, or evaluated architectures again."""
    lines = []
    beyond = runs[runs["evaluations"] > runs["budget"]]
    if len(beyond):
        arms = "; ".join(arm_words(arm) for arm in arms_of(beyond))
        most = beyond.iloc[int((beyond["evaluations"] - beyond["budget"]).to_numpy().argmax())]
        lines.append(
            f"{sentence(arms)}: {counted(len(beyond), 'search', 'searches')} spent more than the budget, at most "
            f"{count(most['evaluations'])} evaluations of {count(most['budget'])}, because it is checked after whole "
            "rounds only."
        )
    longest = at_largest_budgets(runs)  # the others are their beginnings
    for arm in arms_of(longest[longest["distinct"] < longest["evaluations"]]):
        own = longest[longest["arm"] == arm]
        share = 1 - own["distinct"].sum() / own["evaluations"].sum()
        lines.append(
            f"{sentence(arm_words(arm))}: {percent(share)} of the evaluations were of architectures that the same "
            "search had evaluated before, and count again."
        )
    return lines


def verdict_sentences(tests: pd.DataFrame) -> list[str]:
    """Say how many of the tests of each family are significant after Holm's correction."""
    if tests.empty:
        return ["No test between arms could be made."]
    lines = []
    for family, own in tests.groupby("family", sort=True):
        kinds = listed([name for test, name in TEST_NAMES.items() if (own["test"] == test).any()])
        words = f"{kinds} tests" if len(own) != 1 else f"{kinds} test"
        indicators = counted(int(own["indicator"].nunique()), "indicator")
        of_what = f"{indicators} as the thesis's code computes them" if family == "published" else indicators
        pairs = own[["first_arm", "second_arm", "first_budget", "second_budget"]].drop_duplicates()
        told = f"{count(len(own))} {words} ({of_what}, {counted(len(pairs), 'pair')} of arms and budgets)"
        level = f"at the level {fixed(own['alpha'].iloc[0])} after Holm's correction"
        found = int(own["significant"].sum())
        lines.append(
            f"{count(found)} of {told} {'is' if found == 1 else 'are'} significant {level}."
            if found
            else f"None of {told} is significant {level}: no difference was shown."
        )
    return lines


def thesis_sentence(conclusions: pd.DataFrame, pair: Sequence[str], objectives: Sequence[Objective]) -> list[str]:
    """Say in a sentence which conclusions of the thesis hold for a pair of arms; none where nothing restates them."""
    own = _judged(conclusions, pair)
    if own.empty:
        return []
    parts = [
        f"{row['statement']} ({indicator_words(row['indicator'], objectives)}): {row['verdict']}"
        for row in own.to_dict("records")
    ]
    return [f"Conclusions of the thesis, {versus(pair)} – {'; '.join(parts)}."]


def thesis_details(conclusions: pd.DataFrame, pair: Sequence[str]) -> list[str]:
    """Return a sentence with numbers for each conclusion of the thesis that a pair of arms restates."""
    return _judged(conclusions, pair)["sentence"].tolist()


def ahead_sentence(conclusions: pd.DataFrame, pair: Sequence[str], objectives: Sequence[Objective]) -> list[str]:
    """Say in a sentence by which indicators each arm of a pair is ahead; none where nothing was tested."""
    own = _compared(conclusions, pair)
    if own.empty:
        return []
    names = own.assign(words=[indicator_words(name, objectives) for name in own["indicator"]])
    told = {verdict: rows["words"].tolist() for verdict, rows in names.groupby("verdict")}
    parts = [f"the tests favour {arm_words(arm)} by {listed(told[arm])}" for arm in pair if arm in told]
    if "mixed" in told:
        parts.append(f"which they favour depends on the budget for {listed(told['mixed'])}")
    if "neither" in told:
        parts.append(f"no difference was shown for {listed(told['neither'])}")
    return [f"{sentence(versus(pair))}: {'; '.join(parts)}."]


def difference_details(conclusions: pd.DataFrame, pair: Sequence[str]) -> list[str]:
    """Return a sentence with numbers for each indicator by which an arm of a pair is ahead."""
    own = _compared(conclusions, pair)
    return own.loc[own["verdict"] != "neither", "sentence"].tolist()


def _judged(conclusions: pd.DataFrame, pair: Sequence[str]) -> pd.DataFrame:
    own = of_pair(conclusions, pair)
    return own[own["verdict"].isin(JUDGED)]


def _compared(conclusions: pd.DataFrame, pair: Sequence[str]) -> pd.DataFrame:
    own = of_pair(conclusions, pair)
    return own[~own["verdict"].isin(JUDGED)]


def stop_sentences(runs: pd.DataFrame) -> list[str]:
    """Say where searches ended before their largest budget: they saw the whole space, or had nothing left to expand."""
    lines = []
    longest = at_largest_budgets(runs)
    for arm in arms_of(longest):
        rows = longest[longest["arm"] == arm]
        parts = [
            f"{count(number)} of {counted(len(rows), 'search', 'searches')} {text}"
            for reason, text in _STOPPED.items()
            if (number := int((rows["stopped_by"] == reason).sum())) > 0
        ]
        if parts:
            lines.append(f"{sentence(arm_words(arm))}, budget {count(rows['budget'].iloc[0])}: {listed(parts)}.")
    return lines or ["Every search spent its whole budget."]


def start_sentences(runs: pd.DataFrame) -> list[str]:
    """Say where searches had fewer starts than asked for."""
    lines = []
    # a budget smaller than the starts cuts them off; the largest budget shows how many there were
    longest = at_largest_budgets(runs)
    for arm in arms_of(longest):
        rows = longest[longest["arm"] == arm]
        fewer = rows[rows["starts"] < rows["starts_wanted"]]
        if len(fewer):
            lines.append(
                f"{sentence(arm_words(arm))}: {count(len(fewer))} of {counted(len(rows), 'search', 'searches')} began "
                f"from fewer than the {count(int(rows['starts_wanted'].max()))} starts asked for (down to "
                f"{count(int(fewer['starts'].min()))}), as many as {_SOURCES.get(arm, 'the benchmark')} offered or the "
                "budget allowed."
            )
    return lines


def ceiling_sentences(runs: pd.DataFrame) -> list[str]:
    """Warn where many searches saw the whole space: their fronts are the best there is, however they started."""
    exhausted = runs["stopped_by"] == "space_exhausted"
    if not exhausted.any():
        return []
    return [
        f"{count(exhausted.sum())} of {counted(len(runs), 'search', 'searches')} (all arms and budgets) evaluated "
        "every architecture of the benchmark. Such a search ends with the best known front whatever it started from: "
        "where many do, the arms can hardly differ."
    ]


def prefix_sentences(tests: pd.DataFrame) -> list[str]:
    """Warn that the tests of several budgets look at the same searches at different times."""
    if len(tests.drop_duplicates(["first_budget", "second_budget"])) < 2:
        return []
    return [
        "A search with a smaller budget is the beginning of the one with a larger budget: the pairs of budgets are "
        "looks at the same searches at different times, not independent repetitions."
    ]


def repeated_sentences(runs: pd.DataFrame) -> list[str]:
    """Warn where searches ended before their smallest budget, so that larger ones change nothing."""
    parts = []
    several = runs[runs.groupby("arm")["budget"].transform("nunique") > 1]
    for arm in arms_of(several):
        own = several[several["arm"] == arm]
        smallest = own[own["budget"] == own["budget"].min()]
        ended = smallest[(smallest["stopped_by"] != "budget") & (smallest["evaluations"] < smallest["budget"])]
        if len(ended):
            parts.append(
                f"{arm_words(arm)} {count(len(ended))} of {counted(len(smallest), 'search', 'searches')} (median of "
                f"them {halves(ended['evaluations'].median())} of {count(smallest['budget'].iloc[0])} evaluations)"
            )
    if not parts:
        return []
    return [
        "Searches that ended by themselves before their smallest budget have the same front at every budget, and spent "
        f"less than any: {'; '.join(parts)}."
    ]


def _budgets(pairs: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(pairs["first_budget"].tolist(), pairs["second_budget"].tolist(), strict=True))
