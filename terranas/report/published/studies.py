"""The studies whose results the page reads, with the configurations that make them."""

from dataclasses import dataclass

from terranas.search.arms import ARMS


@dataclass(frozen=True)
class Study:
    """A study on published tables; nothing is trained.

    Attributes:
        name: folder of its results.
        title: what it searches, in a few words.
        benchmark: table it searches, as ``search.benchmark`` names it.
        cost: the first objective that is minimised.
        accuracy: the objective that is maximised.
        known: which architectures its table knows.
    """

    name: str
    title: str
    benchmark: str
    cost: str
    accuracy: str
    known: str


PART = Study(
    "nasbench101_part",
    "NAS-Bench-101, validation accuracy against training time",
    "nasbench101",
    "training_seconds",
    "validation_micro_accuracy",
    "19,960 of 423,624 cells are known; a surrogate benchmark predicts the others",
)
WHOLE = Study(
    "cifar10_macs",
    "CIFAR-10, test accuracy against MACs",
    "own",
    "macs",
    "test_micro_accuracy",
    "all 423,624 cells are known, from one training each",
)
NASBENCH201 = Study(
    "nasbench201",
    "NAS-Bench-201 on a Jetson TX2, accuracy against latency and energy",
    "hw_nas_bench",
    "latency_ms@Jetson TX2",
    "test_micro_accuracy",
    "12,554 of 15,625 cells are known (HW-NAS-Bench); a surrogate benchmark predicts the others",
)
STUDIES = (PART, WHOLE, NASBENCH201)

_SHARED = f"""\
space: {{max_vertices: 7}}
network: {{stem_channels: 128, stacks: 3, cells_per_stack: 3}}
sampling: {{walks: 2, steps: 1, architectures: walks, unique: study}}  # nothing is trained
surrogates:
  sizes: [300, 400, 500, 600, 700, 800, 900, 1000, 2000, 3000, 5000]
  training_sample: 2000
  compared: [xgboost_tuned, random_forest, gradient_boosting, ridge, nearest_neighbours]
search:
  benchmark: BENCHMARK
  objectives: [ACCURACY, COST]
  neighbourhood: edit
  starts: 20
  seeds: 30
  arms:
    [{", ".join(ARMS[:7])},
     {", ".join(ARMS[7:])}]
  budgets: {{surrogate: [500, 1000, 1500, 2000], random: [2500, 3000, 3500, 4000]}}
report: {{title: "TITLE"}}
"""

TABLES = {
    PART.name: "nasbench101: data/nas-bench-101/nasbench_real_subset.tfrecord",
    WHOLE.name: "own: data/cifar10.parquet",
}
"""Setting of ``benchmark`` of the two studies on NAS-Bench-101."""


def configuration(study: Study) -> str:
    """Return the configuration of a study on NAS-Bench-101, in YAML."""
    words = {"BENCHMARK": study.benchmark, "ACCURACY": study.accuracy, "COST": study.cost, "TITLE": study.title}
    shared = _SHARED
    for place, word in words.items():
        shared = shared.replace(place, word)
    return f"results_dir: results/{study.name}\nbenchmark: {{{TABLES[study.name]}}}\n{shared}"
