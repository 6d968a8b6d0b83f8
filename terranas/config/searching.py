"""Sections that say what is searched, how, and how searches are compared."""

from itertools import pairwise
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from terranas.config.base import Section
from terranas.surrogates.regressors import LOG_TARGETS, find_regressor

SearchedBenchmark = Literal["study", "own", "nasbench101", "nasbench201", "hw_nas_bench"]
"""Tables that surrogates and searches can use."""

OTHER_SPACES = ("nasbench201", "hw_nas_bench")
"""Those of them over the cells of NAS-Bench-201 instead of the study's space."""

Arm = Literal[
    "surrogate",
    "surrogate_spread",
    "sample",
    "random",
    "latin",
    "restarts",
    "surrogate_published",
    "random_published",
    "random_search",
    "nsga2",
    "regularised_evolution",
    "regularised_evolution_ranked",
    "surrogate_assisted",
]


def _require_ascending(name: str, values: list[int], minimum: int) -> None:
    if values[0] < minimum:
        raise ValueError(f"{name} must start at {minimum} or more, got {values[0]}")
    for smaller, larger in pairwise(values):
        if larger <= smaller:
            raise ValueError(f"{name} must ascend strictly, but {larger} follows {smaller}")


class SurrogatesConfig(Section):
    """Predictors of a metric from the architecture."""

    regressor: str = Field(
        "xgboost",
        description="What predicts a metric: xgboost, xgboost_tuned, random_forest, gradient_boosting, ridge, "
        "gaussian_process, mlp, nearest_neighbours, or a regressor of scikit-learn by its path (sklearn.svm.SVR).",
    )
    parameters: dict[str, float | int | str | bool] = Field(
        {}, description="Parameters of the regressor, named as its library names them, over those of its name."
    )
    encoding: Literal["adjacency_one_hot", "paths", "expanded", "graph_features"] = Field(
        "adjacency_one_hot",
        description="Architecture as a vector; cells of NAS-Bench-201 are always the one-hot of their operations.",
    )
    log_targets: list[str] = Field(
        list(LOG_TARGETS),
        description="Metrics whose logarithm is predicted.",
    )
    compared: list[str] = Field(
        ["random_forest", "nearest_neighbours"],
        description="Further regressors, with their own settings, in the analysis of sizes.",
    )
    sizes: list[int] = Field(
        [15, 25, 35, 45],
        min_length=1,
        description="Training-set sizes compared in the size analysis, ascending.",
    )
    repeats: int = Field(5, ge=1, description="Random training sets per size in the size analysis.")
    plateau: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="Loss of Spearman's correlation against the largest size from which on a size counts as enough.",
    )
    training_sample: int = Field(
        15,
        ge=2,
        description="Architectures that train the surrogate whose predicted front starts the search.",
    )
    ensemble: int = Field(
        5, ge=2, description="Models of the surrogate benchmark, which fills in what a table does not know."
    )
    ensemble_sample: int = Field(
        20_000, ge=10, description="Most architectures that the surrogate benchmark is fitted on."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _require_ascending("sizes", self.sizes, minimum=2)
        everything = [self.regressor, *self.compared]
        if len(set(everything)) < len(everything):
            raise ValueError(f"compared names a regressor twice: {', '.join(everything)}")
        for name in everything:
            find_regressor(name)
        return self


class BudgetsConfig(Section):
    """Evaluations each arm may spend; the i-th entries of both lists are compared with each other."""

    surrogate: list[int] = Field(
        [10, 15, 20, 25],
        min_length=1,
        description="Budgets of searches that begin with the training sample of a surrogate, which is paid besides.",
    )
    random: list[int] = Field([25, 30, 35, 40], min_length=1, description="Budgets of all other searches.")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        _require_ascending("surrogate", self.surrogate, minimum=1)
        _require_ascending("random", self.random, minimum=1)
        if len(self.surrogate) != len(self.random):
            raise ValueError(
                f"surrogate has {len(self.surrogate)} budgets and random has {len(self.random)}; "
                "they are compared in pairs and must be equally many"
            )
        return self


class LocalSearchConfig(Section):
    """Variant of Pareto local search that its arms run, the published ones excepted."""

    selection: Literal["oldest", "newest", "random", "most_isolated"] = Field(
        "oldest", description="Which architecture of the queue is expanded next."
    )
    order: Literal["random", "given"] = Field("random", description="Order in which neighbours are evaluated.")
    acceptance: Literal["all", "first_dominating", "first_nondominated"] = Field(
        "all",
        description="Whether all neighbours are evaluated, or only until one dominates the architecture expanded, or "
        "enters the archive (docs/search.md).",
    )


class SearchConfig(Section):
    """Searches of the tabular benchmark: Pareto local search from several starts, and baselines."""

    benchmark: SearchedBenchmark = Field(
        "study", description="Tabular benchmark that surrogates, searches and their comparison use."
    )
    dataset: str | None = Field(
        None, min_length=1, description="Name of the images to search for, where the benchmark has several."
    )
    objectives: list[str] = Field(
        ["validation_micro_accuracy", "macs"],
        min_length=2,
        description="Metrics of the benchmark; its schema knows which way each is better. METRIC@DEVICE is a metric on "
        "one of several devices.",
    )
    unknown: Literal["predict", "skip"] = Field(
        "predict",
        description="What a search does with architectures the table does not know: take the value that the surrogate "
        "benchmark predicts, flagged as predicted, or pass over them.",
    )
    arms: list[Arm] = Field(
        [
            "surrogate",
            "random",
            "surrogate_published",
            "random_published",
            "random_search",
            "nsga2",
            "regularised_evolution_ranked",
            "surrogate_assisted",
        ],
        min_length=2,
        description="Searches to run and compare (docs/search.md).",
    )
    neighbourhood: Literal["hamming", "hamming_any", "edit", "edit_symmetric"] = Field(
        "edit_symmetric",
        description="Graph the search moves on. edit_symmetric can undo every step; edit (NASLib's, used by the "
        "published study) can only shrink a cell; hamming and hamming_any never change the set of operations. Over all "
        "423,624 cells, edit_symmetric gives a few small cells tens of thousands of neighbours (at most 52,602). In "
        "NAS-Bench-201 neighbours differ in one operation.",
    )
    starts: int = Field(4, ge=1, description="Architectures a search starts from.")
    seeds: int = Field(30, ge=2, description="Repetitions with independent randomness.")
    budgets: BudgetsConfig = BudgetsConfig()
    local_search: LocalSearchConfig = LocalSearchConfig()

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        for name in ("objectives", "arms"):
            entries: list[Any] = getattr(self, name)
            if len(set(entries)) < len(entries):
                raise ValueError(f"{name} names an entry twice: {', '.join(entries)}")
        return self


class ComparisonConfig(Section):
    """Statistics of the searches."""

    pairs: list[list[Arm]] = Field(
        [["surrogate", "random"], ["surrogate_published", "random_published"]],
        min_length=1,
        description="Pairs of arms that are tested against each other, the one said to be better first; all tests are "
        "one family. The first pair stands in the figures.",
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="Level of the tests.")
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples for confidence intervals.")

    @model_validator(mode="after")
    def _are_pairs(self) -> Self:
        for pair in self.pairs:
            if len(set(pair)) != 2 or len(pair) != 2:
                raise ValueError(f"pairs must hold two different arms each, got {pair}")
        if len({tuple(sorted(pair)) for pair in self.pairs}) < len(self.pairs):
            raise ValueError("pairs names two arms twice")
        return self
