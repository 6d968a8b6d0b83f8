"""Draw the classes of the study's images and what their imbalance does to accuracies."""

from typing import Any

from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.data.schema import CLASS_COUNTS
from terranas.landscape.imbalance_figures import (
    accuracy_gap,
    accuracy_gap_words,
    class_accuracy,
    class_accuracy_words,
    class_distribution,
    class_words,
)
from terranas.landscape.saving import save_figures
from terranas.landscape.schema import ACCURACY_GAPS, CLASS_ACCURACY, IMBALANCE_CORRELATIONS


def main(snakemake: Any) -> None:
    paths = snakemake.input
    counts = read_table(paths.class_counts, CLASS_COUNTS), snakemake.params.dataset
    classes = read_table(paths.class_accuracy, CLASS_ACCURACY), read_table(paths.correlations, IMBALANCE_CORRELATIONS)
    gaps = read_table(paths.accuracy_gaps, ACCURACY_GAPS)
    figures = {
        "class_distribution": (class_distribution(*counts), class_words(*counts)),
        "class_accuracy": (class_accuracy(*classes), class_accuracy_words(*classes)),
        "accuracy_gap": (accuracy_gap(gaps), accuracy_gap_words(gaps)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
