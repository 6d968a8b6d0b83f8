import numpy as np
import pandas as pd
import pytest

from terranas.benchmark.schema import BENCHMARK
from terranas.benchmark.tabular import TabularBenchmark
from terranas.core.formats import MINUS, SPACE
from terranas.report import findings
from terranas.surrogates.figures import surrogate_words

PERCENT = f"{SPACE}%"
OBJECTIVES = ["validation_micro_accuracy", "macs"]


def test_space(results):
    first, second = findings.space_sentences(results.cells)
    assert "91 cells" in first
    assert "4 vertices and 6 edges" in first
    assert f"{results.cells['parameters'].min():,} to {results.cells['parameters'].max():,} parameters" in second


def test_data(results):
    lines = findings.data_sentences("some images", results.manifest, results.class_counts)
    assert lines[0] == (
        "The images are 'some images': 10 bands, 32 × 32 pixels, 17 classes; 640 train, 320 validate and 320 test."
    )
    counts = results.class_counts.query("split == 'test'")["count"]
    assert f"'class Q' with {100 * counts.max() / counts.sum():.1f}{PERCENT}" in lines[2]
    assert findings.majority_share(results.class_counts, "test") == counts.max() / counts.sum()


def test_a_split_without_images_says_nothing_of_its_classes(results):
    empty = results.class_counts.assign(count=0)
    assert len(findings.data_sentences("some images", results.manifest, empty)) == 1
    assert np.isnan(findings.majority_share(empty, "test"))


def test_walks(results):
    settings = {"steps": 4, "neighbourhood": "hamming", "architectures": "walks"}
    lines = findings.sampling_sentences(results.walks, settings)
    assert lines[0].startswith(f"6 random walks of 4 steps saw {results.walks['hash'].nunique()} distinct cells")
    assert "in 30 visits" in lines[0]
    assert lines[1] == "Walks were drawn again 3 times because they got stuck or began at a cell visited before."
    assert lines[2] == "The cells that the walks visit are trained."
    assert "All cells" in findings.sampling_sentences(results.walks, settings | {"architectures": "all"})[2]
    assert findings.sampling_sentences(results.walks.assign(redraws=0), settings)[1] == "No walk got stuck."


def test_all_trainings_well(results):
    lines = findings.training_sentences(results.table, results.cells)
    assert lines == [
        f"91 architectures of 91 (100.0{PERCENT} of the space) are trained to 4 epochs.",
        "No training failed.",
    ]


def test_failed_trainings_are_counted_by_reason(stand_in, results):
    table = stand_in.failed(results.table, ["diverged", "out_of_memory", "diverged", "accepted_failure"])
    assert findings.failure_counts(table) == {"accepted_failure": 1, "diverged": 2, "out_of_memory": 1}
    first, second = findings.training_sentences(table, results.cells)
    assert first.startswith("87 architectures of 91 (95.6")
    assert second == (
        "4 trainings of 91 gave no full result: 1 given up by hand, 2 diverged and 1 ran out of memory. "
        "Those architectures are left out of everything below."
    )


def test_a_training_counts_once_though_it_has_a_row_for_each_epoch(stand_in, results):
    earlier = results.table.assign(epochs=2)
    table = BENCHMARK.validate(pd.concat([earlier, stand_in.failed(results.table, ["diverged"])], ignore_index=True))
    assert findings.failure_counts(table) == {"diverged": 1}
    assert "1 training of 91 gave no full result: 1 diverged." in findings.training_sentences(table, results.cells)[1]


def test_all_trainings_failed(stand_in, results):
    table = stand_in.failed(results.table, ["diverged"] * 91)
    benchmark = TabularBenchmark(table)
    assert findings.training_sentences(table, results.cells)[0].startswith("0 architectures of 91")
    assert findings.best_sentences(benchmark, "validation_micro_accuracy", 0.1) == [
        "No architecture has a validation micro accuracy, so there is no best one."
    ]
    assert findings.front_sentences(benchmark, OBJECTIVES) == [
        "No architecture has values of validation micro accuracy and MACs; there is no Pareto front."
    ]


@pytest.mark.parametrize(("majority", "words"), [(0.1, "is above the 10.0"), (0.99, "is not above the 99.0")])
def test_the_best_is_chosen_by_validation_and_told_on_test(results, majority, words):
    (line,) = findings.best_sentences(results.benchmark, "validation_micro_accuracy", majority)
    best = results.table.loc[results.table["validation_micro_accuracy"].idxmax()]
    assert f"({100 * best['validation_micro_accuracy']:.1f}{PERCENT}) has" in line
    assert f"has {100 * best['test_micro_accuracy']:.1f}{PERCENT} test micro accuracy" in line
    assert words in line
    assert line.endswith(f"({best['hash'][:8]}).")


def test_macro_accuracy_is_not_measured_against_the_largest_class(results):
    (line,) = findings.best_sentences(results.benchmark, "validation_macro_accuracy", 0.1)
    assert "largest class" not in line


def test_front(results):
    (line,) = findings.front_sentences(results.benchmark, OBJECTIVES)
    assert f"has {len(results.benchmark.true_front(OBJECTIVES))} architectures of the 91 with values:" in line


def test_ruggedness_gives_medians_and_what_is_undefined(results):
    macro, micro = findings.ruggedness_sentences(results.ruggedness)
    table = results.ruggedness.query("metric == 'validation_macro_accuracy'")
    assert "undefined" not in macro
    assert f"of 6 walks is {table['ruggedness'].median():.2f}".replace("-", MINUS) in macro
    assert micro.endswith("; on 1 of 6 walks it is undefined.")
    nowhere = results.ruggedness.assign(ruggedness=np.nan)
    assert findings.ruggedness_sentences(nowhere)[0] == (
        "Validation macro accuracy: ruggedness is undefined on all 6 walks."
    )


def test_surrogates_from_the_smallest_to_the_largest_size(results):
    line = findings.surrogate_sentences(results.scores, "xgboost")[0]
    own = results.scores.query("surrogate == 'xgboost'")
    means = own.query("objective == 'validation_micro_accuracy'").groupby("size")["spearman"].mean()
    assert f"from {means[15]:.2f} with 15 training architectures to {means[45]:.2f} with 45." in line
    one = findings.surrogate_sentences(own[own["size"] == 25], "xgboost")[0]
    assert one.endswith(f"is {means[25]:.2f} with 25 training architectures.")
    undefined = findings.surrogate_sentences(results.scores.assign(spearman=np.nan), "xgboost")
    assert len(undefined) == 2
    assert undefined[0].endswith("the rank correlation is undefined for every training-set size.")


def test_other_surrogates_are_told_in_one_sentence(results):
    own = results.scores[results.scores["surrogate"] == "xgboost"]
    assert len(findings.surrogate_sentences(own, "xgboost")) == 2  # one an objective
    lines = findings.surrogate_sentences(results.scores, "xgboost")
    assert len(lines) == 3
    at = results.scores.query("surrogate == 'nearest_neighbours' and objective == 'macs' and size == 45")
    assert lines[-1].startswith(f"The searches use {surrogate_words('xgboost')}.")
    assert "with 45 training architectures" in lines[-1]
    assert f"{surrogate_words('nearest_neighbours')} {at['spearman'].mean():.2f}." in lines[-1]


def test_fronts_that_had_to_be_replaced(results):
    assert findings.scope_sentences(results.predicted) == []
    replaced = results.predicted.assign(scope=results.predicted["scope"].where(results.predicted["seed"] > 1, "known"))
    (line,) = findings.scope_sentences(replaced)
    assert line.startswith("In 2 of 12 repetitions no architecture on the predicted front")


def test_noise_of_training(results):
    assert "trained once" in findings.repeat_sentences(results.table)[0]
    twice = pd.concat([results.table, results.table.assign(repeat=1)])
    assert findings.repeat_sentences(twice) == ["Accuracies are means over 2 to 2 trainings."]


def test_software(results):
    lines = findings.software_sentences(results.software)
    assert "at commit 0123456789abcdef0123456789abcdef01234567" in lines[0]
    assert len(lines) == 2
    dirty = {**results.software, "git": {"commit": "abc", "dirty": True}}
    assert "differed from that commit" in findings.software_sentences(dirty)[1]
    none = findings.software_sentences({**results.software, "git": None})
    assert none[0].endswith("so its commit is not known.")
