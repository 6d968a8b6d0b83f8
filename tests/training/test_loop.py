import math
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    log_loss,
)
from torch import nn

from terranas.core.errors import DataError
from terranas.training.checkpoint import Checkpoints
from terranas.training.loop import evaluate, train
from terranas.training.losses import summed_cross_entropy
from terranas.training.schema import CLASS_ACCURACIES, CONFUSIONS, EPOCHS

FACTS = {"hash": "0" * 32, "source": "npz"}


def small_network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )


def without_batch_statistics():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))


def logits_of(network, images):
    network.eval()
    with torch.no_grad():
        return network(torch.from_numpy(images).permute(0, 3, 1, 2)).double().numpy()


# --- learning --------------------------------------------------------------------------------------------------------


def test_learns_a_separable_problem(task):
    result = train(small_network(), task(epochs=12))
    assert result.outcome == "ok"
    assert result.test.micro_accuracy > 0.9
    assert result.validation.macro_accuracy > 0.9
    losses = [row["train_loss"] for row in result.rows]
    assert losses[-1] < losses[0] / 2
    assert [row["epoch"] for row in result.rows] == list(range(1, 13))
    for schema, rows in ((EPOCHS, result.rows), (CLASS_ACCURACIES, result.class_rows), (CONFUSIONS, result.confusions)):
        schema.from_rows([FACTS | row for row in rows])


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adamw", "schedule": "constant"},
        {"optimizer": "rmsprop", "schedule": "linear"},
        {"precision": "bf16"},
        {"precision": "fp16"},
        {"loss": "focal", "class_weights": "balanced", "learning_rate": 0.2},
        {"label_smoothing": 0.2},
        {"augmentation": "flips_rotations"},
        {"memory_format": "contiguous"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_every_setting_learns(task, settings):
    counts = [counted for _, counted in sorted(Counter(task().data["train"].labels.tolist()).items())]
    result = train(small_network(), task(epochs=12, class_counts=counts, **settings))
    assert result.test.micro_accuracy > 0.8
    assert all(value.dtype != torch.bfloat16 for value in result.weights.values())
    assert result.precision == settings.get("precision", "fp32")


def test_compiled_network_learns_the_same(task, monkeypatch):
    # without the compiler of machine code, which takes long and is torch's own affair
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    plain, compiled = (train(small_network(), task(epochs=2, compile=chosen)) for chosen in (False, True))
    np.testing.assert_allclose(
        [row["train_loss"] for row in compiled.rows], [row["train_loss"] for row in plain.rows], rtol=1e-4
    )
    assert compiled.weights.keys() == plain.weights.keys()


def test_settings_change_what_is_learned_and_not_what_is_recorded(task):
    """The first step is taken from the same weights: its recorded loss is plain, whatever is minimised."""
    counts = [20, 10, 10]
    losses, weights = [], []
    for settings in ({}, {"loss": "focal"}, {"label_smoothing": 0.3}, {"class_weights": "balanced"}):
        result = train(small_network(), task(batch_size=40, epochs=1, class_counts=counts, **settings))
        losses.append(result.rows[0]["train_loss"])
        weights.append(result.weights["0.weight"])
    assert len(set(losses)) == 1
    for number, first in enumerate(weights):
        assert not any(torch.equal(first, other) for other in weights[number + 1 :])


# --- what is recorded ------------------------------------------------------------------------------------------------


def test_scores_agree_with_scikit_learn(arrays, task):
    network = small_network(5)
    tally = evaluate(network, task().data["test"], task())
    scores, (images, labels) = tally.scores(), arrays["test"]
    logits = logits_of(network, images)
    guesses = logits.argmax(1)
    assert scores.micro_accuracy == pytest.approx(accuracy_score(labels, guesses))
    assert scores.macro_accuracy == pytest.approx(balanced_accuracy_score(labels, guesses))
    assert scores.kappa == pytest.approx(cohen_kappa_score(labels, guesses))
    assert tally.confusion.tolist() == confusion_matrix(labels, guesses).tolist()
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert scores.loss == pytest.approx(log_loss(labels, probabilities), rel=1e-5)


def test_first_row_is_what_the_first_step_saw(arrays, task):
    """One step an epoch: the row's training part is that of the initial network in training mode."""
    images, labels = arrays["train"]
    network = small_network(3)
    logits = network(torch.from_numpy(images).permute(0, 3, 1, 2))
    loss = summed_cross_entropy(logits, torch.from_numpy(labels)) / 40
    loss.backward()
    norm = math.sqrt(sum(float(parameter.grad.double().square().sum()) for parameter in network.parameters()))
    guesses = logits.argmax(1).numpy()
    row = train(small_network(3), task(batch_size=40, epochs=1)).rows[0]
    assert row["train_loss"] == pytest.approx(loss.item(), rel=1e-5)
    assert row["train_micro_accuracy"] == pytest.approx(accuracy_score(labels, guesses))
    assert row["train_kappa"] == pytest.approx(cohen_kappa_score(labels, guesses))
    assert row["gradient_norm"] == pytest.approx(norm, rel=1e-5)
    assert row["micro_batch"] == 40
    assert row["peak_memory_mb"] > 50  # the interpreter with torch takes more than that


def test_final_tables_belong_to_the_returned_networks(arrays, task):
    given = task(epochs=6, learning_rate=0.5, schedule="constant")
    result = train(small_network(), given)
    for name, weights, scores in (
        ("last", result.weights, {"validation": result.validation, "test": result.test}),
        ("best", result.best_weights, {"validation": result.best.validation, "test": result.best.test}),
    ):
        network = small_network(1)
        network.load_state_dict(weights)
        for split, expected in scores.items():
            images, labels = arrays[split]
            guesses = logits_of(network, images).argmax(1)
            rows = [row for row in result.confusions if (row["network"], row["split"]) == (name, split)]
            matrix = np.zeros((3, 3), int)
            for row in rows:
                matrix[row["true_class"], row["predicted_class"]] = row["images"]
            assert matrix.tolist() == confusion_matrix(labels, guesses, labels=range(3)).tolist()
            assert expected.micro_accuracy == pytest.approx(accuracy_score(labels, guesses))
    by_key = {(row["epoch"], row["split"], row["class_index"]): row for row in result.class_rows}
    assert len(by_key) == len(result.class_rows)
    tested = {epoch for epoch, split, _ in by_key if split == "test"}
    assert tested == {6, result.best.epoch}
    for epoch, row in enumerate(result.rows, start=1):
        for split in ("train", "validation"):
            counts = [by_key[epoch, split, index] for index in range(3)]
            correct, images = (sum(count[name] for count in counts) for name in ("correct", "images"))
            assert correct / images == pytest.approx(row[f"{split}_micro_accuracy"])


@pytest.mark.parametrize("metric", ["validation_micro_accuracy", "validation_macro_accuracy", "validation_loss"])
def test_best_epoch_is_the_first_of_the_best(task, metric):
    result = train(small_network(), task(epochs=8, learning_rate=0.8, schedule="constant", best_metric=metric))
    values = [row[metric] for row in result.rows]
    wanted = min(values) if metric == "validation_loss" else max(values)
    assert result.best.epoch == values.index(wanted) + 1
    assert result.best.epoch < 8  # else the test would say nothing of the weights kept


def test_evaluation_leaves_the_network_alone(task):
    network = small_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    evaluate(network, task().data["validation"], task())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_macro_accuracy_ignores_absent_classes(arrays, image_set, task):
    images, labels = arrays["test"]
    images, labels = images[labels != 1], labels[labels != 1]
    network = small_network(5)
    scores = evaluate(network, image_set(images, labels), task()).scores()
    guesses = logits_of(network, images).argmax(1)
    expected = [(guesses[labels == label] == label).mean() for label in (0, 2)]
    assert scores.macro_accuracy == pytest.approx(np.mean(expected))


# --- micro-batches ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("micro_batch", [5, 3, 2])
def test_micro_batches_take_the_steps_of_the_whole_batch(task, micro_batch):
    """Without batch statistics the pieces' gradients add up to the batch's."""
    whole = train(without_batch_statistics(), task(batch_size=12))
    pieces = train(without_batch_statistics(), task(batch_size=12, micro_batch=micro_batch))
    assert {row["micro_batch"] for row in pieces.rows} == {pieces.micro_batch} == {micro_batch}
    for one, other in zip(whole.rows, pieces.rows, strict=True):
        for name in ("train_loss", "validation_loss", "gradient_norm"):
            assert one[name] == pytest.approx(other[name], rel=1e-5)
    for name, value in whole.weights.items():
        torch.testing.assert_close(value, pieces.weights[name], rtol=1e-4, atol=1e-6)


# --- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [1e6, 1e30])
def test_divergence_is_a_result(task, rate):
    result = train(small_network(), task(epochs=30, learning_rate=rate, schedule="constant"))
    assert result.outcome == "diverged"
    assert "was not finite" in result.reason
    assert (result.weights, result.best_weights, result.confusions) == ({}, {}, [])
    assert (result.validation, result.test, result.best) == (None, None, None)
    assert len(result.rows) < 30
    assert all(math.isfinite(row["train_loss"]) for row in result.rows)


def test_divergence_is_told_with_its_step_and_leaves_no_checkpoint(arrays, image_set, task, tmp_path):
    images, labels = arrays["train"]
    images[task().order(2)[19], 0, 0, 0] = np.nan  # comes up in the third step of eight images of epoch 2
    data = task().data | {"train": image_set(images, labels)}
    saved = Checkpoints(tmp_path, {}, every=1, kept=None)
    one = np.random.default_rng(1).permutation(40)
    first_epoch = np.delete(one, np.where(one == task().order(2)[19])[0])
    given = replace(task(), data=data, checkpoints=saved, order=lambda e: first_epoch if e == 1 else task().order(e))
    result = train(small_network(), given)
    assert result.reason == "The training loss was not finite in epoch 2 of 3, in step 3 of 5."
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1-0.pt"]


def test_a_diverged_weight_is_found_before_it_is_saved(task, tmp_path):
    """A weight that no output depends on may be infinite while every loss is finite."""
    network = small_network()
    network.register_buffer("unused", torch.tensor(float("inf")))
    result = train(network, task(checkpoints=Checkpoints(tmp_path, {}, every=1)))
    assert (result.outcome, result.reason) == ("diverged", "A weight was not finite in epoch 1 of 3.")
    assert list(tmp_path.iterdir()) == []


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to"),
    MemoryError("no more"),
    RuntimeError(
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported at some other API call"
    ),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_out_of_memory_is_a_result(task, error):
    network = small_network()
    calls = []

    def too_large(module, _):
        calls.append(module.training)
        if len(calls) > 10:
            raise error

    network.register_forward_pre_hook(too_large)
    result = train(network, task())
    assert result.outcome == "out_of_memory"
    assert str(error).splitlines()[0] in result.reason
    assert len(result.rows) == 1


def test_a_real_allocation_that_cannot_succeed_is_out_of_memory(task):
    network = small_network()
    network.register_forward_pre_hook(lambda *_: torch.empty(1 << 60))
    assert train(network, task()).outcome == "out_of_memory"


def test_other_errors_are_not_hidden(task):
    network = small_network()
    network.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("a defect")))
    with pytest.raises(RuntimeError, match="a defect"):
        train(network, task())


def test_too_few_images_are_refused(arrays, image_set, task):
    images, labels = arrays["train"]
    with pytest.raises(DataError, match="at least 2 images a process, got 1"):
        train(small_network(), task(data={"train": image_set(images[:1], labels[:1])}))
