"""Draw the indicators of two arms and of all, the effect sizes, and the ranks."""

from typing import Any

from terranas.benchmark.tabular import TabularBenchmark
from terranas.comparison.effect_figure import effect_figure, effect_words
from terranas.comparison.rank_figure import rank_figure, rank_words
from terranas.comparison.schema import INDICATORS, RANK_PAIRS, RANKS, TESTS
from terranas.comparison.study import objectives_of
from terranas.comparison.violins import overview_violin_words, overview_violins, pair_violin_words, pair_violins
from terranas.core.script import run_script
from terranas.core.tables import read_table
from terranas.landscape.saving import save_figures


def main(snakemake: Any) -> None:
    files, params = snakemake.input, snakemake.params
    benchmark = TabularBenchmark.open(files.table, dataset=params.searched["dataset"])
    objectives = objectives_of(benchmark, params.searched["objectives"])
    indicators = read_table(files.indicators, INDICATORS)
    tests = read_table(files.tests, TESTS)
    places = len(params.pair["budgets"][0])
    # one problem has no independent blocks: the searches themselves are ranked, at their largest budgets
    ranked = ("kruskal_wallis", f"{places} of {places}", ("hypervolume", "igd_plus"), objectives)
    ranks = (read_table(files.ranks, RANKS), read_table(files.rank_pairs, RANK_PAIRS), *ranked)
    pair = tuple(params.pair["arms"])
    compared = (indicators, objectives, pair, list(zip(*params.pair["budgets"], strict=True)))
    figures = {
        "violins": (pair_violins(*compared), pair_violin_words(*compared)),
        "all_arms": (overview_violins(indicators, objectives), overview_violin_words(indicators, objectives)),
        "effects": (effect_figure(tests, pair, objectives), effect_words(tests, pair, objectives)),
        "rank_diagram": (rank_figure(*ranks), rank_words(*ranks)),
    }
    save_figures(figures, dict(snakemake.output.items()))


run_script(main, snakemake)  # noqa: F821  (snakemake is put there by Snakemake)
