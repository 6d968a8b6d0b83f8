import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terranas.core.errors import EnvironmentLackError
from terranas.training.batches import ImageSet, epoch_batches, epoch_steps, shard_batches
from terranas.training.checkpoint import Checkpoint
from terranas.training.recipe import resolve_device

CPU = torch.device("cpu")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_batches_are_normalised_alike_in_memory_and_on_disk(tmp_path, dtype):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (30, 3, 8, 8)).astype(dtype)
    mean, std = images.mean(axis=(0, 2, 3), dtype=np.float64), images.std(axis=(0, 2, 3), dtype=np.float64)
    np.save(tmp_path / "a.npy", images)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    labels = np.arange(30) % 4
    indices = rng.permutation(30)[:11]
    held, labels_held = ImageSet(images, labels, mean, std, CPU).batch(indices)
    read, labels_read = ImageSet(mapped, labels, mean, std, CPU, in_memory_bytes=0).batch(indices)
    assert torch.equal(held, read)
    assert torch.equal(labels_held, labels_read)
    assert held.is_contiguous(memory_format=torch.channels_last)
    expected = (images[indices] - mean[:, None, None]) / std[:, None, None]
    np.testing.assert_allclose(held.numpy(), expected, rtol=1e-4, atol=1e-5)
    assert labels_held.tolist() == labels[indices].tolist()


def test_a_band_without_variation_is_only_centred():
    images = np.full((4, 1, 8, 8), 7, np.uint8)
    x, _ = ImageSet(images, np.zeros(4, int), np.array([7.0]), np.array([0.0]), CPU).batch(np.arange(4))
    assert (x == 0).all()


@given(st.integers(2, 200), st.integers(2, 16), st.integers(1, 4))
def test_batches_of_an_epoch(images, batch_size, processes):
    order = np.random.default_rng(0).permutation(images)
    shares = [list(epoch_batches(order, batch_size, rank, processes)) for rank in range(processes)]
    assert {len(share) for share in shares} == {epoch_steps(images, batch_size, processes)}
    used = []
    for step in zip(*shares, strict=True):
        assert sum(len(indices) for indices, _ in step) == step[0][1]
        assert all(2 <= len(indices) <= batch_size for indices, _ in step)
        used.extend(np.concatenate([indices for indices, _ in step]))
    np.testing.assert_array_equal(used, order[: len(used)])
    assert images - len(used) < 2 * processes


@given(st.integers(1, 200), st.integers(1, 16), st.integers(1, 4))
def test_shards_cover_every_image_once(images, batch_size, processes):
    parts = [batch for rank in range(processes) for batch in shard_batches(images, batch_size, rank, processes)]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(images))


def test_cosine_schedule(recipe):
    settings = recipe(learning_rate=0.4, schedule="cosine")
    rates = [settings.learning_rate_at(step, 100) for step in range(100)]
    np.testing.assert_allclose(rates[:10], 0.04 * np.arange(1, 11))
    assert max(rates) == rates[9] == pytest.approx(0.4)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[9:]))
    assert 0 < rates[-1] < 0.001
    middle = 0.2 * (1 + math.cos(math.pi * 46 / 91))
    assert rates[55] == pytest.approx(middle)
    assert recipe(schedule="constant").learning_rate_at(3, 100) == 0.05
    assert recipe(learning_rate=0.4).learning_rate_at(0, 1) > 0


def test_optimizers(recipe):
    parameters = [torch.nn.Parameter(torch.zeros(2))]
    sgd = recipe(momentum=0.8, weight_decay=0.01).build_optimizer(parameters)
    assert isinstance(sgd, torch.optim.SGD)
    assert (sgd.defaults["momentum"], sgd.defaults["weight_decay"]) == (0.8, 0.01)
    adamw = recipe(optimizer="adamw", momentum=0.8).build_optimizer(parameters)
    assert isinstance(adamw, torch.optim.AdamW)
    assert adamw.defaults["betas"] == (0.8, 0.999)


def test_devices():
    assert resolve_device("cpu") == CPU
    if not torch.cuda.is_available():
        assert resolve_device("auto") == CPU
        with pytest.raises(EnvironmentLackError, match=r"training\.device cuda .* finds 0 here"):
            resolve_device("cuda")


def test_checkpoint_round_trip(tmp_path):
    checkpoint = Checkpoint(tmp_path / "_state" / "a" / "b")
    assert checkpoint.load(CPU) is None
    checkpoint.finish()
    assert not checkpoint.folder.exists()
    checkpoint.save({"network": {"w": torch.arange(3.0)}, "rows": [{"epoch": 1}], "seconds": 2.5})
    checkpoint.save({"network": {"w": torch.arange(4.0)}, "rows": [{"epoch": 2}], "optimizer": {}})
    loaded = checkpoint.load(CPU)
    assert loaded["rows"] == [{"epoch": 2}]
    assert torch.equal(loaded["network"]["w"], torch.arange(4.0))
    assert [path.name for path in checkpoint.folder.iterdir()] == ["checkpoint.pt"]
    checkpoint.finish()
    assert set(checkpoint.load(CPU)) == {"network", "rows"}


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_damaged_checkpoint_is_ignored(tmp_path, damage, caplog):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save({"rows": list(range(1000))})
    content = bytearray(checkpoint.path.read_bytes())
    content[len(content) // 2] ^= 1
    changed = {"truncate": content[:-1], "flip": content, "empty": b""}[damage]
    checkpoint.path.write_bytes(bytes(changed))
    assert checkpoint.load(CPU) is None
    assert "damaged" in caplog.text
