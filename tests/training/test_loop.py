import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss
from torch import nn

from terranas.core.errors import DataError
from terranas.training.batches import ImageSet
from terranas.training.loop import evaluate, train
from terranas.training.schema import EPOCHS

CPU = torch.device("cpu")


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


def order(epoch):
    return np.random.default_rng(epoch).permutation(40)


def test_learns_a_separable_problem(data, recipe):
    result = train(small_network(), data, 3, recipe(epochs=12), order, CPU)
    assert result.outcome == "ok"
    assert result.test.micro_accuracy > 0.9
    assert result.validation.macro_accuracy > 0.9
    losses = [row["train_loss"] for row in result.rows]
    assert losses[-1] < losses[0] / 2
    assert [row["epoch"] for row in result.rows] == list(range(1, 13))
    EPOCHS.from_rows([{"hash": "0" * 32, "source": "npz"} | row for row in result.rows])


@pytest.mark.parametrize(("optimizer", "precision"), [("adamw", "fp32"), ("sgd", "bf16")])
def test_other_settings_learn_too(data, recipe, optimizer, precision):
    settings = recipe(epochs=12, optimizer=optimizer, precision=precision, schedule="constant")
    result = train(small_network(), data, 3, settings, order, CPU)
    assert result.test.micro_accuracy > 0.8
    assert all(value.dtype != torch.bfloat16 for value in result.weights.values())
    assert {row["learning_rate"] for row in result.rows} == {0.05}


@pytest.mark.parametrize("rate", [1e6, 1e30])
def test_divergence_is_a_result(data, recipe, rate):
    result = train(small_network(), data, 3, recipe(epochs=30, learning_rate=rate, schedule="constant"), order, CPU)
    assert result.outcome == "diverged"
    assert "loss was not finite in epoch" in result.reason
    assert result.weights == {}
    assert result.validation is None
    assert result.test is None
    assert len(result.rows) < 30
    assert all(math.isfinite(row["train_loss"]) for row in result.rows)


def test_nan_in_the_images_is_divergence(arrays, data, recipe):
    images, labels = arrays["train"]
    images[3, 0, 0, 0] = np.nan
    data["train"] = ImageSet(images, labels, np.zeros(3), np.ones(3), CPU)
    result = train(small_network(), data, 3, recipe(), order, CPU)
    assert (result.outcome, result.rows) == ("diverged", [])


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to"),
        MemoryError("no more"),
    ],
)
def test_out_of_memory_is_a_result(data, recipe, error):
    network = small_network()
    calls = []

    def too_large(module, _):
        calls.append(module.training)
        if len(calls) > 10:
            raise error

    network.register_forward_pre_hook(too_large)
    result = train(network, data, 3, recipe(), order, CPU)
    assert result.outcome == "out_of_memory"
    assert str(error).splitlines()[0] in result.reason
    assert len(result.rows) == 1


def test_a_real_allocation_that_cannot_succeed_is_out_of_memory(data, recipe):
    network = small_network()
    network.register_forward_pre_hook(lambda *_: torch.empty(1 << 60))
    assert train(network, data, 3, recipe(), order, CPU).outcome == "out_of_memory"


def test_other_errors_are_not_hidden(data, recipe):
    network = small_network()
    network.register_forward_pre_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("a defect")))
    with pytest.raises(RuntimeError, match="a defect"):
        train(network, data, 3, recipe(), order, CPU)


def test_too_few_images_are_refused(arrays, data, recipe):
    images, labels = arrays["train"]
    data["train"] = ImageSet(images[:1], labels[:1], np.zeros(3), np.ones(3), CPU)
    with pytest.raises(DataError, match="at least 2 images a process, got 1"):
        train(small_network(), data, 3, recipe(), order, CPU)


def test_scores_agree_with_scikit_learn(arrays, data, recipe):
    network = small_network(5)
    scores = evaluate(network, data["test"], 3, recipe())
    images, labels = arrays["test"]
    network.eval()
    with torch.no_grad():
        logits = network(torch.from_numpy(images)).numpy()
    guesses = logits.argmax(1)
    assert scores.micro_accuracy == pytest.approx(accuracy_score(labels, guesses))
    assert scores.macro_accuracy == pytest.approx(balanced_accuracy_score(labels, guesses))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert scores.loss == pytest.approx(log_loss(labels, probabilities), rel=1e-5)


def test_evaluation_leaves_the_network_alone(data, recipe):
    network = small_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    evaluate(network, data["validation"], 3, recipe())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_macro_accuracy_ignores_absent_classes(arrays, recipe):
    images, labels = arrays["test"]
    present = ImageSet(images[labels != 1], labels[labels != 1], np.zeros(3), np.ones(3), CPU)
    network = small_network(5)
    scores = evaluate(network, present, 3, recipe())
    network.eval()
    with torch.no_grad():
        guesses = network(torch.from_numpy(images[labels != 1])).argmax(1).numpy()
    expected = [(guesses[labels[labels != 1] == label] == label).mean() for label in (0, 2)]
    assert scores.macro_accuracy == pytest.approx(np.mean(expected))
