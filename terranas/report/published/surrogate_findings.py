"""What terranas finds beside the claims on surrogates."""

import pandas as pd

from terranas.core.formats import count, fixed, listed
from terranas.report.published.claim import Finding, agrees
from terranas.report.published.claims import SIZES, SPEARMAN
from terranas.report.published.inputs import Inputs
from terranas.report.published.studies import PART, WHOLE, Study
from terranas.surrogates.plateau import plateau, summarise_scores

TOLERANCE = 0.02
"""Loss in Spearman's correlation that still counts as on the plateau: the default of ``surrogates.plateau``."""

XGBOOST, TUNED = "xgboost", "xgboost_tuned"
SURROGATES = {XGBOOST: "XGBoost with its own defaults", TUNED: "XGBoost, tuned"}
"""Surrogates whose scores the page shows."""

METRICS = {"validation_micro_accuracy": "validation accuracy", "training_seconds": "training time"}


def mean_spearman(inputs: Inputs, study: Study) -> pd.DataFrame:
    """Return mean Spearman correlations of a study, by size (rows) and (surrogate, objective) (columns)."""
    summary = summarise_scores(inputs.scores(study))
    means = summary[(summary["score"] == "spearman") & summary["surrogate"].isin(SURROGATES)]
    return means.pivot(index="size", columns=["surrogate", "objective"], values="mean")


def plateau_sizes(inputs: Inputs) -> Finding:
    """Where the plateau begins (U1)."""
    begins = {surrogate: _plateaus(inputs, surrogate) for surrogate in SURROGATES}
    same = [
        f"{words} ({SURROGATES[name]})" for name, part in begins.items() for words, size in part.items() if size == 2000
    ]
    return Finding(
        f"{SURROGATES[TUNED]}: {_listed(begins[TUNED])}",
        "agrees in part" if same else "differs",
        f"for {listed(same) if same else 'none'}; where a plateau begins depends on surrogate and objective",
        f"{SURROGATES[XGBOOST]}: {_listed(begins[XGBOOST])}",
    )


def time_above_accuracy(inputs: Inputs) -> Finding:
    """Whether training time is predicted better than accuracy (U2)."""
    means = mean_spearman(inputs, PART)
    accuracy, seconds = METRICS
    gains = {name: means[name][seconds] - means[name][accuracy] for name in SURROGATES}
    higher = {name: int((gain > 0).sum()) for name, gain in gains.items()}
    published = sum(a < t for a, t in zip(*SPEARMAN.values(), strict=True))
    return Finding(
        f"{SURROGATES[TUNED]}: higher at {higher[TUNED]} of {len(means)} sizes",
        agrees(set(higher.values()) == {len(means)}),
        f"the published averages say so at {published} of {len(SIZES)} sizes",
        f"{SURROGATES[XGBOOST]}: higher at {higher[XGBOOST]} of {len(means)}",
    )


def best_accuracy_score(inputs: Inputs) -> Finding:
    """Largest Spearman correlation of the accuracy model (U3)."""
    part = mean_spearman(inputs, PART).xs(PART.accuracy, axis=1, level="objective").max()
    whole = mean_spearman(inputs, WHOLE).xs(WHOLE.accuracy, axis=1, level="objective").max()
    texts = {
        name: f"{SURROGATES[name]}: {fixed(part[name])} for validation accuracy in the known part, "
        f"{fixed(whole[name])} for test accuracy in the whole space"
        for name in SURROGATES
    }
    close = abs(whole[XGBOOST] - 0.75) < 0.02
    return Finding(
        texts[TUNED],
        "agrees in part" if close else "differs",
        f"{'' if close else 'not '}in the whole space with XGBoost's defaults; "
        f"other settings rank {'better' if whole[TUNED] > whole[XGBOOST] else 'no better'}, and the known part is no "
        "random sample",
        texts[XGBOOST],
    )


def size_table(inputs: Inputs) -> list[list[str]]:
    """Return the rows of published and own correlations by size, the header first."""
    means = mean_spearman(inputs, PART)
    whole = mean_spearman(inputs, WHOLE)[XGBOOST, WHOLE.accuracy]
    rows = [["predicted", "source", *map(count, SIZES)]]
    for metric, words in METRICS.items():
        rows.append([words, "published", *(fixed(value, 3) for value in SPEARMAN[metric])])
        for name, surrogate in SURROGATES.items():
            rows.append([words, f"ours, {surrogate}", *(fixed(means[name, metric][size], 3) for size in SIZES)])
    rows.append(
        ["test accuracy, whole space", f"ours, {SURROGATES[XGBOOST]}", *(fixed(whole[size], 3) for size in SIZES)]
    )
    tuned = mean_spearman(inputs, WHOLE)[TUNED, WHOLE.accuracy]
    rows.append(
        ["test accuracy, whole space", f"ours, {SURROGATES[TUNED]}", *(fixed(tuned[size], 3) for size in SIZES)]
    )
    return rows


def _plateaus(inputs: Inputs, surrogate: str) -> dict[str, int | None]:
    found = plateau(inputs.scores(PART), TOLERANCE).set_index(["surrogate", "objective"])["size"]
    sizes = {words: found[surrogate, metric] for metric, words in METRICS.items()}
    return {words: None if pd.isna(size) else int(size) for words, size in sizes.items()}


def _listed(begins: dict[str, int | None]) -> str:
    return listed(
        [f"{words} {'none up to 5,000' if size is None else f'from {count(size)}'}" for words, size in begins.items()]
    )


FINDINGS = {"U1": plateau_sizes, "U2": time_above_accuracy, "U3": best_accuracy_score}
"""What is computed beside each claim of the topic."""
