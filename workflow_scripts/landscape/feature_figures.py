"""Draw what makes a cell of a benchmark good."""

from typing import Any

from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.landscape.feature_figures import (
    feature_correlations,
    feature_correlations_words,
    feature_effects,
    feature_effects_words,
)
from terranas.landscape.saving import save_figures
from terranas.landscape.schema import FEATURE_CORRELATIONS, FEATURE_EFFECTS


def main(snakemake: Any) -> None:
    correlations = read_table(snakemake.input.correlations, FEATURE_CORRELATIONS)
    effects = read_table(snakemake.input.effects, FEATURE_EFFECTS)
    figures = {
        "feature_correlations": (feature_correlations(correlations), feature_correlations_words(correlations)),
        "feature_effects": (feature_effects(effects), feature_effects_words(effects)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
