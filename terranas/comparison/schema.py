"""Schemas of the comparison's tables."""

from terranas.core.tables import Column, TableSchema
from terranas.search.arms import ARMS
from terranas.search.schema import ARM, BUDGET, DATASET, SEED

REFERENCES = ("true front", "front of all known values")
"""What fronts are compared with, by whether the benchmark knows every architecture."""

_EVALUATION = Column("evaluation", "int64", "evaluations spent", ge=1)
_SPENT = "plus the surrogate's training sample where the arm needs one"
_OBJECTIVES = Column(
    "<best|mean|std|regret>_<objective>",
    "float64",
    "best, mean or deviation of an objective on the front, in its own unit, or how far the best is from the best known",
)
_MEASURES = (
    Column("size", "int64", "architectures on the front", direction="maximise", ge=1),
    Column(
        "hypervolume",
        "float64",
        "hypervolume of the front; objectives normalised by the best (0) and the worst (1) known value, reference "
        "point (1, ..., 1)",
        direction="maximise",
        ge=0,
        le=1,
    ),
    Column("hypervolume_per_point", "float64", "hypervolume divided by size", direction="maximise", ge=0, le=1),
    Column(
        "hypervolume_regret",
        "float64",
        "hypervolume of the reference front less this one",
        direction="minimise",
        ge=0,
    ),
    Column(
        "igd_plus",
        "float64",
        "IGD+ to the reference front, normalised objectives (Ishibuchi et al. 2015)",
        direction="minimise",
        ge=0,
    ),
    Column(
        "additive_epsilon",
        "float64",
        "additive epsilon indicator: smallest shift of the front, in normalised objectives, that covers the reference "
        "front (Zitzler et al. 2003)",
        direction="minimise",
        ge=0,
    ),
    Column(
        "diameter",
        "float64",
        "largest Hamming distance of two members in architecture space; 0 for a single member",
        direction="maximise",
        ge=0,
    ),
    Column(
        "mean_pairwise_distance",
        "float64",
        "mean Hamming distance over all pairs of different members; 0 for a single member",
        direction="maximise",
        ge=0,
    ),
    Column(
        "published_hypervolume",
        "float64",
        "hypervolume as the thesis's released code has it, in the unit of the cost: it falls as single points improve, "
        "and is read as higher is better; NaN unless there is one maximised and one minimised objective",
        direction="maximise",
        ge=0,
    ),
    Column(
        "published_mean_pairwise_distance",
        "float64",
        "mean distance as the thesis's released code has it: distances are added only when larger than all before, in "
        "the order of the front's table",
        direction="maximise",
        ge=0,
    ),
    Column("predicted", "float64", "share of the front's members whose values are predicted, not measured", ge=0, le=1),
)

INDICATORS = TableSchema(
    name="comparison.indicators",
    version=2,
    key=("arm", "budget", "seed"),
    columns=(
        ARM,
        DATASET,
        BUDGET,
        Column("charged", "int64", f"budget (not what was spent of it) {_SPENT}", ge=1),
        SEED,
        *_MEASURES,
    ),
    extra=_OBJECTIVES,
)

TRAJECTORY = TableSchema(
    name="comparison.trajectory",
    version=1,
    key=("arm", "seed", "evaluation"),
    columns=(
        ARM,
        DATASET,
        SEED,
        _EVALUATION,
        Column("charged", "int64", f"evaluations spent {_SPENT}", ge=1),
        *_MEASURES,
    ),
    extra=_OBJECTIVES,
)
"""Indicators of the archive at a grid of evaluations; a search that ended early has no rows beyond its end."""

ANYTIME = TableSchema(
    name="comparison.anytime",
    version=2,
    key=("arm", "seed", "evaluation"),
    columns=(
        ARM,
        DATASET,
        SEED,
        _EVALUATION,
        Column("charged", "int64", f"evaluations spent {_SPENT}", ge=1),
        Column("hypervolume", "float64", "hypervolume of the normalised archive so far", ge=0, le=1),
    ),
)
"""Rows for the first and the last evaluation of a search, and for each at which the hypervolume changed."""


def _interval(name: str, meaning: str, ge: float | None = None, le: float | None = None) -> tuple[Column, ...]:
    """Return the columns of an estimate and of the ends of its interval."""
    return (
        Column(name, "float64", meaning, ge=ge, le=le),
        Column(f"{name}_low", "float64", "lower end of its bootstrap interval", ge=ge, le=le),
        Column(f"{name}_high", "float64", "upper end of its bootstrap interval", ge=ge, le=le),
    )


def _p(name: str, meaning: str) -> Column:
    return Column(name, "float64", meaning, ge=0, le=1)


def _with_holm(prefix: str, words: str) -> tuple[Column, ...]:
    return (
        _p(f"{prefix}_p", f"two-sided p-value of {words}"),
        _p(f"{prefix}_p_holm", "the same, adjusted for all such tests of the family (Holm 1979)"),
    )


METHODS = ("exact", "exact_with_ties", "asymptotic", "degenerate", "")
"""Null distributions: of untied values; of the tied values at hand (by permutation); normal; none needed (all values
equal); empty where there is no test."""

FAMILIES = ("main", "published")
"""Families of tests: of the indicators as they should be, and of those of the thesis's released code."""

_FIRST_ARM = Column("first_arm", "string", "arm that the effects are signed for", isin=ARMS)
_SECOND_ARM = Column("second_arm", "string", "arm it is compared with", isin=ARMS)
_INDICATOR = Column("indicator", "string", "column of the indicators' table")
_BETTER = Column("better", "string", "which way the indicator is better", isin=("higher", "lower"))
_ALPHA = Column("alpha", "float64", "level of the tests; intervals cover 1 - alpha", ge=0, le=1)
_SIGNIFICANT = Column("significant", "bool", "p_holm below alpha")

TESTS = TableSchema(
    name="comparison.tests",
    version=1,
    key=("first_arm", "second_arm", "first_budget", "second_budget", "indicator"),
    columns=(
        DATASET,
        _FIRST_ARM,
        _SECOND_ARM,
        Column("first_budget", "int64", "evaluations of the first arm", ge=1),
        Column("second_budget", "int64", "evaluations of the second arm", ge=1),
        Column("first_charged", "int64", f"those {_SPENT}", ge=1),
        Column("second_charged", "int64", f"those {_SPENT}", ge=1),
        _INDICATOR,
        _BETTER,
        Column("family", "string", "family of Holm's correction", isin=FAMILIES),
        Column("family_members", "string", "what the family holds and how many tests it has"),
        Column("paired", "bool", "whether equal seeds share a training sample or starts, and so form pairs"),
        Column("first_n", "int64", "searches of the first arm", ge=1),
        Column("second_n", "int64", "searches of the second arm", ge=1),
        Column("first_median", "float64", "median of the first arm"),
        Column("second_median", "float64", "median of the second arm"),
        *_interval("median_difference", "median of the first arm less that of the second"),
        Column(
            "test",
            "string",
            "test that decides: signed ranks where seeds form pairs, else rank sums",
            isin=("mann_whitney", "wilcoxon"),
        ),
        Column("method", "string", "null distribution of the deciding test", isin=METHODS),
        _p("p", "two-sided p-value of the deciding test"),
        _p("p_holm", "the same, adjusted for the whole family (Holm 1979)"),
        Column("u", "float64", "Mann-Whitney's U of the first arm: pairs it wins, ties counting half", ge=0),
        Column("mann_whitney_method", "string", "null distribution of Mann-Whitney's test", isin=METHODS),
        *_with_holm("mann_whitney", "Mann-Whitney's test"),
        Column("w", "float64", "Wilcoxon's sum of the ranks of positive differences; NaN without pairs", ge=0),
        Column("wilcoxon_method", "string", "null distribution of Wilcoxon's test", isin=METHODS),
        *_with_holm("wilcoxon", "Wilcoxon's signed-rank test; NaN without pairs"),
        *_with_holm("kolmogorov_smirnov", "the two-sample Kolmogorov-Smirnov test"),
        *_with_holm("welch", "Welch's t-test; NaN where neither arm varies"),
        _p("first_shapiro_wilk_p", "p-value of Shapiro and Wilk's test of normality; NaN where the arm does not vary"),
        _p("second_shapiro_wilk_p", "the same of the second arm"),
        *_interval("a12", "P(first > second) + P(equal) / 2 (Vargha and Delaney 2000)", 0, 1),
        *_interval("cliffs_delta", "P(first > second) - P(first < second) (Cliff 1993)", -1, 1),
        _ALPHA,
        _SIGNIFICANT,
        Column("favours", "string", "arm that a significant test favours", isin=(*ARMS, "neither")),
    ),
)

_DESIGN = (
    DATASET,
    Column("test", "string", "omnibus test", isin=("friedman", "kruskal_wallis")),
    _INDICATOR,
    _BETTER,
    Column("level", "string", "which budgets are compared: all, or the place of one pair, such as '2 of 4'"),
)

RANKS = TableSchema(
    name="comparison.ranks",
    version=1,
    key=("test", "indicator", "level", "arm"),
    columns=(
        *_DESIGN,
        Column("blocks", "string", "what the blocks are, or what is repeated where there are none"),
        Column("n", "int64", "blocks (Friedman), or values an arm (Kruskal-Wallis)", ge=1),
        Column("arms", "int64", "arms compared", ge=2),
        ARM,
        Column("median", "float64", "median of the arm's values"),
        Column("mean_rank", "float64", "mean rank of the arm, 1 is best", ge=1),
        Column("statistic", "float64", "Friedman's chi-squared or Kruskal and Wallis's H, corrected for ties", ge=0),
        _p("p", "p-value of the omnibus test; Friedman's is that of Iman and Davenport's F"),
        _p("p_holm", "the same, adjusted for all such tests of the table (Holm 1979)"),
        Column("f", "float64", "Iman and Davenport's F (1980); NaN for Kruskal-Wallis", ge=0),
        Column(
            "critical_difference",
            "float64",
            "difference of mean ranks at which Nemenyi's test is significant (Demsar 2006); NaN for Kruskal-Wallis",
            ge=0,
        ),
        _ALPHA,
        _SIGNIFICANT,
        Column("assumption", "string", "what the test takes for granted, in one sentence"),
    ),
)

RANK_PAIRS = TableSchema(
    name="comparison.rank_pairs",
    version=1,
    key=("test", "post_hoc", "indicator", "level", "first_arm", "second_arm"),
    columns=(
        *_DESIGN,
        _FIRST_ARM,
        _SECOND_ARM,
        Column("rank_difference", "float64", "mean rank of the first arm less that of the second; negative is better"),
        Column("post_hoc", "string", "test of the pair", isin=("nemenyi", "wilcoxon", "dunn")),
        _p("p", "two-sided p-value; Nemenyi's is adjusted for all pairs by itself"),
        _p("p_holm", "adjusted for all pairs of arms of this indicator and level"),
        _ALPHA,
        _SIGNIFICANT,
        Column("favours", "string", "arm that a significant test favours", isin=(*ARMS, "neither")),
    ),
)

CONCLUSIONS = TableSchema(
    name="comparison.conclusions",
    version=1,
    key=("statement", "first_arm", "second_arm", "indicator"),
    columns=(
        DATASET,
        Column("statement", "string", "what is judged: a conclusion of the thesis, or 'which arm is better'"),
        _FIRST_ARM,
        _SECOND_ARM,
        _INDICATOR,
        _BETTER,
        Column("tests", "int64", "pairs of budgets that were tested", ge=1),
        Column("first_wins", "int64", "of them significant in favour of the first arm", ge=0),
        Column("second_wins", "int64", "of them significant in favour of the second arm", ge=0),
        Column(
            "verdict",
            "string",
            "an arm, neither or mixed; of a conclusion of the thesis supported, contradicted or open",
            isin=(*ARMS, "neither", "mixed", "supported", "contradicted", "open"),
        ),
        Column("first_median", "float64", "median of the first arm at the clearest pair of budgets"),
        Column("second_median", "float64", "median of the second arm there"),
        *_interval("a12", "A12 there", 0, 1),
        _p("p_holm", "p-value there, adjusted for the family"),
        Column("sentence", "string", "the row in words"),
    ),
)
