"""What terranas finds beside the claims on the EO benchmark, and on the whole CIFAR-10 table."""

import numpy as np
from numpy.typing import NDArray

from terranas.core.formats import count, fixed, p_value, percent
from terranas.core.randomness import generator
from terranas.landscape.accuracy import summarise_accuracy
from terranas.landscape.conclusions import imbalance_comparisons, judge
from terranas.landscape.correlation import RankCorrelation, rank_correlations
from terranas.landscape.landscape import Landscape
from terranas.landscape.optima import find_optima
from terranas.landscape.ruggedness import analyse_walks, summarise_ruggedness
from terranas.report.published.claim import Finding, agrees
from terranas.report.published.inputs import Inputs
from terranas.space.neighbours import build_neighbours

Array = NDArray[np.float64]

SEED = 0
"""Seed of the bootstrap intervals: that of a study's default configuration."""


def mean_accuracies(inputs: Inputs) -> Finding:
    """Mean accuracies of the EO benchmark on test and validation images (L1)."""
    summary = summarise_accuracy(inputs.eo.benchmark).set_index(["split", "metric"])["mean"]
    published = np.array([0.4113, 0.5867])
    found = {name: summary.loc[name][["macro_accuracy", "micro_accuracy"]].to_numpy() for name in _SPLITS}
    nearest = min(_SPLITS, key=lambda name: float(np.abs(found[name] - published).max()))
    largest = 100 * np.abs(found["validation"] - published).max()
    return Finding(
        f"test images: {_pair(found['test'])} ({inputs.eo.extent})",
        "agrees in part",
        f"the published pair is that of the validation images, within {fixed(largest)} points"
        if nearest == "validation"
        else "the published pair is nearest to the test images",
        f"validation images: {_pair(found['validation'])}",
    )


def cifar10_accuracies(inputs: Inputs) -> Finding:
    """Mean accuracy on CIFAR-10 of the same cells and of all (L2)."""
    accuracy = inputs.cifar10["test_accuracy"].to_numpy(dtype=np.float64)
    same, every = accuracy[inputs.visits.ravel()].mean(), accuracy.mean()
    nearer = "all cells" if abs(every - 0.8962) < abs(same - 0.8962) else "the same cells"
    largest = 100 * max(abs(same - 0.8962), abs(every - 0.8962))
    return Finding(
        f"{percent(same, 2)} over the same {inputs.visits.size} cells, {percent(every, 2)} over all "
        f"{count(len(accuracy))}; macro equals micro accuracy where all classes have as many images",
        agrees(largest < 1),
        f"within {fixed(largest)} points; nearer to the mean over {nearer}",
    )


def accuracy_distribution(inputs: Inputs) -> Finding:
    """Where the test accuracies gather (L3)."""
    values = inputs.eo.benchmark.values(["test_macro_accuracy", "test_micro_accuracy"])
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0).tolist()
    texts = [
        f"{name} median {fixed(middle[place])}, middle half {fixed(low[place])} to {fixed(high[place])}"
        for place, name in enumerate(("macro", "micro"))
    ]
    near = [round(value, 1) for value in middle] == [0.5, 0.6]
    return Finding("; ".join(texts), agrees(near), "rounded to one decimal" if near else "")


def micro_above_macro(inputs: Inputs) -> Finding:
    """Whether micro accuracy exceeds macro accuracy (L4)."""
    table = judge(imbalance_comparisons(inputs.eo.benchmark, inputs.eo.walks), seed=SEED)
    row = table[(table["unit"] == "walk") & table["first"].str.contains("test_micro_accuracy")].iloc[0]
    return Finding(
        f"by {fixed(100 * row['median_difference'], 1)} points in the median walk (95 % interval "
        f"{fixed(100 * row['median_difference_low'], 1)} to {fixed(100 * row['median_difference_high'], 1)}; "
        f"{row['n']} walks, p {p_value(row['p_holm'])})",
        agrees(row["verdict"] == "supported"),
        "that imbalance is the reason is the thesis's reading, not tested here",
    )


def latency_and_macs(inputs: Inputs) -> Finding:
    """Rank correlation of latency with true MACs and with parameters (L5)."""
    latency, macs, parameters = inputs.eo.benchmark.values(["latency_ms", "macs", "parameters"]).T
    true, published = _spearman(latency, macs), _spearman(latency, parameters)
    agreed = true.interval.low > 0 and published.interval.low > 0
    return Finding(
        f"Spearman {_interval(true)} ({inputs.eo.extent})",
        agrees(agreed),
        "with true MACs as with parameters" if agreed else "",
        f"with parameters: {_interval(published)}",
    )


def ruggedness_share(inputs: Inputs) -> Finding:
    """Share of the walks with a ruggedness of 0 to 5 (L6)."""
    metrics = ["validation_macro_accuracy", "validation_micro_accuracy"]
    table = analyse_walks(inputs.eo.walks, inputs.eo.benchmark, metrics, seed=SEED)
    shares = summarise_ruggedness(table, seed=SEED).pivot(index="variant", columns="metric", values="share_0_to_5")
    macro, micro = (shares[metric] for metric in metrics)
    bounded = int((table["reason"] == "").sum())
    most = [name for name, share in (("macro", macro), ("micro", micro)) if share.min() > 0.5]
    return Finding(
        f"{percent(macro['defined'], 0)} of the walks for macro, {percent(micro['defined'], 0)} for micro accuracy "
        f"({inputs.eo.extent}); {bounded} of {len(table)} values have a bounded 95 % interval",
        "agrees" if len(most) == 2 else "agrees in part" if most else "differs",
        f"most walks for {' and '.join(most) or 'neither'} accuracy; walks of 15 cells settle hardly any single value",
        f"{percent(macro['published'], 0)} and {percent(micro['published'], 0)}",
    )


def harder_than_cifar10(inputs: Inputs) -> Finding:
    """Compare the accuracies of the same cells on both sets of images (L7)."""
    order = inputs.visits.ravel()
    eo = inputs.eo.benchmark.values(["test_micro_accuracy"], order)[:, 0]
    cifar10 = inputs.cifar10["test_accuracy"].to_numpy(dtype=np.float64)[order]
    lower = int((eo < cifar10).sum())
    return Finding(
        f"lower for {lower} of {len(order)} cells, by {fixed(100 * np.median(cifar10 - eo), 1)} points in the median; "
        f"the ranks of the cells are unrelated: Spearman {_interval(_spearman(eo, cifar10))}",
        agrees(lower > 0.95 * len(order)),
        "in the level; the order of the cells on one set says nothing of that on the other",
    )


def whole_table(inputs: Inputs) -> list[str]:
    """Return sentences on the landscape of all cells on CIFAR-10, of which nothing is published in the thesis."""
    accuracy = inputs.cifar10["test_accuracy"].to_numpy(dtype=np.float64)
    sentences = [
        f"Over all {count(len(accuracy))} cells the test accuracy is {percent(accuracy.mean(), 2)} on average, with a "
        f"standard deviation of {fixed(100 * accuracy.std(ddof=1))} points."
    ]
    for name, words in (
        ("hamming", "one bit of the 17×17 matrix"),
        ("edit_symmetric", "one edit, in either direction"),
    ):
        graph = build_neighbours(inputs.cells, name)
        optima = find_optima(Landscape.of(accuracy, graph, "maximise", inputs.cells["hash"]))
        largest = optima.basin_sizes.max() / len(accuracy)
        sentences.append(
            f"Where neighbours differ in {words} (`{name}`), it has {count(optima.count)} local optima, "
            f"{count(int(optima.isolated.sum()))} cells have no neighbour, and the largest basin holds "
            f"{percent(largest)} of the cells."
        )
    return sentences


_SPLITS = ("test", "validation")


def _pair(values: Array) -> str:
    return " and ".join(percent(value, 2) for value in values.tolist())


def _spearman(one: Array, other: Array) -> RankCorrelation:
    rng = generator(SEED, "report.published.spearman")
    (found,) = rank_correlations(one, other, rng, coefficients=("spearman",))
    return found


def _interval(found: RankCorrelation) -> str:
    return f"{fixed(found.statistic)} (95 % interval {fixed(found.interval.low)} to {fixed(found.interval.high)})"


FINDINGS = {
    "L1": mean_accuracies,
    "L2": cifar10_accuracies,
    "L3": accuracy_distribution,
    "L4": micro_above_macro,
    "L5": latency_and_macs,
    "L6": ruggedness_share,
    "L7": harder_than_cifar10,
}
"""What is computed beside each claim of the topic."""
