import itertools
import math

import numpy as np
import psutil
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score
from sklearn.utils.class_weight import compute_class_weight

from terranas.core.errors import EnvironmentLackError
from terranas.core.processes import host_peak_mb
from terranas.training.losses import balanced_weights, build_objective, summed_cross_entropy
from terranas.training.memory import device_peak_mb
from terranas.training.precision import autocast, is_channels_last, prepare_torch, resolve_precision
from terranas.training.recipe import resolve_device
from terranas.training.scores import Scores, Tally
from terranas.training.steps import plan_epoch

CPU = torch.device("cpu")


# --- schedule and optimiser ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_schedules(recipe, schedule):
    settings = recipe(learning_rate=0.4, schedule=schedule)
    rates = [settings.learning_rate_at(step, 100) for step in range(100)]
    np.testing.assert_allclose(rates[:10], 0.04 * np.arange(1, 11))
    assert max(rates) == rates[9] == pytest.approx(0.4)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[9:]))
    share = 46 / 91
    middle = 0.2 * (1 + math.cos(math.pi * share)) if schedule == "cosine" else 0.4 * (1 - share)
    assert rates[55] == pytest.approx(middle)
    # one step more would be 0
    last = 0.2 * (1 + math.cos(math.pi * 90 / 91)) if schedule == "cosine" else 0.4 / 91
    assert rates[-1] == pytest.approx(last)
    assert settings.learning_rate_at(0, 1) == 0.4
    assert recipe(schedule="constant").learning_rate_at(3, 100) == 0.05


def one_parameter():
    return torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))


def steps_of(optimizer, parameter, gradients):
    for gradient in gradients:
        parameter.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
    return parameter.item()


def test_sgd_against_its_closed_form(recipe):
    parameter = one_parameter()
    optimizer = recipe(learning_rate=0.1, momentum=0.8, weight_decay=0.01).build_optimizer([parameter])
    first = 0.5 + 0.01 * 2
    w = 2 - 0.1 * first
    second = 0.8 * first + (-0.3 + 0.01 * w)
    assert steps_of(optimizer, parameter, [0.5, -0.3]) == pytest.approx(w - 0.1 * second)


def test_rmsprop_against_its_closed_form(recipe):
    """Decay 0.9 and epsilon 1, as NAS-Bench-101 had them."""
    parameter = one_parameter()
    settings = recipe(optimizer="rmsprop", learning_rate=0.1, momentum=0.8, weight_decay=0.01)
    optimizer = settings.build_optimizer([parameter])
    w, square, moved = 2.0, 0.0, 0.0
    for gradient in (0.5, -0.3):
        total = gradient + 0.01 * w
        square = 0.9 * square + 0.1 * total**2
        moved = 0.8 * moved + total / (math.sqrt(square) + 1)
        w -= 0.1 * moved
    assert steps_of(optimizer, parameter, [0.5, -0.3]) == pytest.approx(w)


def test_adamw_against_its_closed_form(recipe):
    parameter = one_parameter()
    settings = recipe(optimizer="adamw", learning_rate=0.1, momentum=0.8, weight_decay=0.01)
    optimizer = settings.build_optimizer([parameter])
    decayed = 2 * (1 - 0.1 * 0.01)
    assert steps_of(optimizer, parameter, [0.5]) == pytest.approx(decayed - 0.1 * 0.5 / (0.5 + 1e-8))


# --- losses ----------------------------------------------------------------------------------------------------------

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [-3.0, 4.0, 1.0], [1.0, 2.0, 3.0]])
LABELS = torch.tensor([0, 1, 2, 2])
COUNTS = [10, 0, 30]


def by_hand(gamma, smoothing, weights):
    total = 0.0
    for logits, label in zip(LOGITS.double().tolist(), LABELS.tolist(), strict=True):
        norm = sum(math.exp(value) for value in logits)
        for index, value in enumerate(logits):
            p = math.exp(value) / norm
            target = (1 - smoothing) * (index == label) + smoothing / 3
            total -= weights[index] * target * (1 - p) ** gamma * math.log(p)
    return total


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("class_weights", ["none", "balanced"])
@pytest.mark.parametrize(("loss", "gamma"), [("cross_entropy", 0), ("focal", 2)])
def test_losses_against_their_closed_form(loss, gamma, smoothing, class_weights):
    objective = build_objective(loss, smoothing, class_weights, COUNTS, CPU)
    weights = [2.0, 0.0, 2 / 3] if class_weights == "balanced" else [1.0] * 3
    assert objective(LOGITS, LABELS).item() == pytest.approx(by_hand(gamma, smoothing, weights), rel=1e-5)


def test_plain_settings_are_the_recorded_loss():
    assert build_objective("cross_entropy", 0.0, "none", [], CPU) is summed_cross_entropy
    expected = F.cross_entropy(LOGITS, LABELS) * 4
    torch.testing.assert_close(summed_cross_entropy(LOGITS, LABELS), expected)


def test_certain_images_give_focal_losses_without_nan():
    objective = build_objective("focal", 0.0, "none", [], CPU)
    logits = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], requires_grad=True)
    loss = objective(logits, torch.tensor([0, 0]))
    loss.backward()
    assert loss.item() == pytest.approx(400)
    assert logits.grad.isfinite().all()


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.repeat([0, 1, 2], [50, 3, 7])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(balanced_weights([50, 3, 7]).numpy(), expected, rtol=1e-6)
    assert (balanced_weights([50, 3, 7]).numpy()[labels]).mean() == pytest.approx(1)


# --- scores ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_scores_of_any_answers(pairs):
    truth, guessed = np.array(pairs).T
    tally = Tally(4, 1, CPU)
    logits = F.one_hot(torch.tensor(guessed), 4).float()
    tally.add(0, logits, torch.tensor(truth), torch.tensor(3.0 * len(pairs)))
    scores = tally.scores()
    assert scores.loss == pytest.approx(3)
    assert scores.micro_accuracy == pytest.approx((truth == guessed).mean())
    with np.errstate(invalid="ignore"):
        present = np.unique(truth)
        macro = np.mean([(guessed[truth == label] == label).mean() for label in present])
        kappa = cohen_kappa_score(truth, guessed) if len(np.unique(pairs)) > 1 else 0.0
    assert scores.macro_accuracy == pytest.approx(macro)
    assert scores.kappa == pytest.approx(kappa, abs=1e-12)


def test_scores_of_one_matrix():
    confusion = torch.tensor([[5, 1, 0], [0, 0, 0], [2, 0, 2]])
    truth = [0] * 6 + [2] * 4
    guessed = [0] * 5 + [1] + [0] * 2 + [2] * 2
    scores = Scores.of(confusion, 1.5)
    assert scores.kappa == pytest.approx(cohen_kappa_score(truth, guessed))
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        assert scores.macro_accuracy == pytest.approx(balanced_accuracy_score(truth, guessed))


# --- steps -----------------------------------------------------------------------------------------------------------


@given(st.integers(2, 200), st.integers(2, 16), st.integers(2, 16), st.integers(1, 4))
def test_pieces_of_the_steps(images, batch_size, micro_batch, processes):
    order = np.random.default_rng(0).permutation(images)
    plans = [plan_epoch(order, batch_size, micro_batch, rank, processes) for rank in range(processes)]
    used = []
    for steps in zip(*plans, strict=True):
        sizes = [len(piece) for step in steps for piece in step.pieces]
        assert min(sizes) >= 2
        assert max(sizes) <= max(micro_batch, 3)
        assert sum(sizes) == steps[0].images == steps[-1].images
        used.extend(np.concatenate([piece for step in steps for piece in step.pieces]))
    np.testing.assert_array_equal(used, order[: len(used)])
    assert images - len(used) < 2 * processes


# --- device ----------------------------------------------------------------------------------------------------------


def test_devices():
    assert resolve_device("cpu") == CPU
    if not torch.cuda.is_available():
        assert resolve_device("auto") == CPU
        with pytest.raises(EnvironmentLackError, match=r"training\.device cuda .* finds 0 here"):
            resolve_device("cuda")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, "bf16"), ({"avx512_f": True, "avx512_bf16": False}, "fp32"), ({"bf16": True}, "bf16")],
)
def test_automatic_precision_of_a_cpu_is_what_it_computes_in(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert resolve_precision("auto", CPU) == expected
    assert resolve_precision("fp16", CPU) == "fp16"


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16"), (False, "fp16")])
def test_automatic_precision_of_a_gpu(monkeypatch, native, expected):
    asked = []

    def supported(including_emulation=True):
        asked.append(including_emulation)
        return native

    class Chosen:
        def __init__(self, device):
            self.device = device

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.cuda, "device", Chosen)
    assert resolve_precision("auto", torch.device("cuda", 1)) == expected
    assert asked == [False]


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_forward_passes_compute_in_the_precision(precision, dtype):
    layer = torch.nn.Linear(3, 2)
    with autocast(precision, CPU):
        assert layer(torch.zeros(1, 3)).dtype == dtype
    assert layer.weight.dtype == torch.float32


def test_memory_formats():
    assert [is_channels_last(name) for name in ("auto", "channels_last", "contiguous")] == [True, True, False]


def test_cpus_are_deterministic_whatever_is_asked_for():
    prepare_torch(1, False, CPU)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert torch.get_num_threads() == 1


def test_memory_is_the_most_this_process_held():
    before = host_peak_mb()
    held = psutil.Process().memory_info().rss / 1e6
    block = np.ones(int((before - held + 60) * 1e6), np.uint8)
    assert before + 40 < host_peak_mb() < before + 80
    del block
    assert host_peak_mb() > before + 40
    assert device_peak_mb(CPU) == 0
