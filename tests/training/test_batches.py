import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terranas.training.batches import ImageSet, epoch_batches, epoch_steps, shard_batches
from terranas.training.prefetch import read_ahead

CPU = torch.device("cpu")
BANDS = 4
FACTOR, SHIFT = np.array([0.01, 2.0, 0.3, 1e-4]), np.array([-3.0, 0.5, 100.0, 0.0])


def stored_images(dtype, count=40, height=6, width=8):
    rng = np.random.default_rng(0)
    if np.issubdtype(dtype, np.integer):
        high = np.iinfo(dtype).max
        images = rng.integers(0, high, (count, height, width, BANDS), dtype, endpoint=True)
        images[0, 0, 0], images[0, 0, 1] = 0, high
        return images
    return (1000 * rng.normal(size=(count, height, width, BANDS))).astype(dtype)


def mapped(images, path):
    np.save(path, images)
    return np.load(path, mmap_mode="r")


def taken(images, shares, **settings):
    made = ImageSet(images, np.arange(len(images)) % 5, FACTOR, SHIFT, CPU, **settings)
    return list(made.batches(shares))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
@pytest.mark.parametrize("channels_last", [True, False])
def test_batches_are_normalised_alike_held_and_streamed(tmp_path, dtype, channels_last):
    images = stored_images(dtype)
    order = np.random.default_rng(1).permutation(40)
    shares = [order[:7], order[7:10], order[10:30], order[30:30]]  # growing and shrinking, and an empty one
    streamed = taken(mapped(images, tmp_path / "a.npy"), shares, resident=False, channels_last=channels_last)
    held = taken(images, shares, resident=True, channels_last=channels_last)
    assert len(streamed) == len(held) == len(shares)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    for share, (x, labels), (same, same_labels) in zip(shares, streamed, held, strict=True):
        assert x.dtype == torch.float32
        assert torch.equal(x, same)
        assert x.is_contiguous(memory_format=layout)
        assert same.is_contiguous(memory_format=layout)
        assert labels.tolist() == same_labels.tolist() == (share % 5).tolist()
        expected = (images[share].astype(np.float64) * FACTOR + SHIFT).transpose(0, 3, 1, 2)
        # the float32 of factor and shift, one product and one sum: four roundings of what is added at most
        size = np.abs(images[share].astype(np.float64) * FACTOR) + np.abs(SHIFT)
        assert (np.abs(x.numpy() - expected) <= 4 * 2**-24 * size.transpose(0, 3, 1, 2)).all()


def test_orders_in_memory_hold_the_same_bits():
    images = stored_images(np.uint16)
    (last, _), (first, _) = (
        taken(images, [np.arange(9)], resident=False, channels_last=channels_last)[0] for channels_last in (True, False)
    )
    assert torch.equal(last, first)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_batches_are_their_takers_own(dtype):
    """The buffer they came through is reused, and the stored images are read-only."""
    images = stored_images(dtype)
    before = images.copy()
    made = ImageSet(images, np.zeros(40, int), FACTOR, SHIFT, CPU, resident=False)
    batches = list(made.batches([np.arange(5), np.arange(5, 10)]))
    for x, _ in batches:
        x.zero_()
    again = next(made.batches([np.arange(5)]))[0]
    assert again.abs().sum() > 0
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize("index", [-1, 40])
def test_an_image_that_is_none_is_told(resident, index):
    with pytest.raises(IndexError, match="Images 0 to 39 exist"):
        taken(stored_images(np.uint8), [np.array([3, index])], resident=resident)


def test_a_large_set_reaches_the_device_block_by_block(monkeypatch):
    images = stored_images(np.uint16, count=37)
    monkeypatch.setattr("terranas.training.batches.BLOCK_BYTES", 5 * images[:1].nbytes + 1)
    (held, _), (streamed, _) = (taken(images, [np.arange(37)], resident=resident)[0] for resident in (True, False))
    assert torch.equal(held, streamed)


# --- reading ahead ---------------------------------------------------------------------------------------------------


class LateSlot:
    """A slot whose copy happens as late as it may: just before the host buffer is reused or the rows are read.

    A rotation that overwrites a buffer too early, or hands out one whose rows have not arrived, gives wrong rows.
    """

    def __init__(self, row, dtype):
        self.host = np.zeros((0, *row), dtype)
        self.device = np.zeros((0, *row), dtype)
        self.count, self.pending, self.reading, self.closed = 0, False, False, False

    def copy(self):
        if self.pending:
            assert not self.reading, "rows are overwritten while work reads them"
            self.device, self.pending = self.host.copy(), False

    def rows(self, count):
        self.copy()
        self.host = np.full((count, *self.host.shape[1:]), 77, self.host.dtype)
        return self.host

    def send(self):
        assert not self.reading
        self.pending = True

    def arrived(self):
        self.copy()
        self.reading = True
        return torch.from_numpy(self.device.view(np.int16) if self.device.dtype == np.uint16 else self.device)

    def release(self):
        self.reading = False

    def close(self):
        self.closed = True


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_read_ahead_gives_what_is_read_in_turn(dtype):
    images = stored_images(dtype)
    shares = [np.random.default_rng(step).permutation(40)[: 3 + step % 5] for step in range(20)]
    made = ImageSet(images, np.arange(40) % 5, FACTOR, SHIFT, CPU, resident=False)
    slots = [LateSlot(images.shape[1:], dtype) for _ in range(2)]
    ahead = list(made._read_ahead(iter(shares), slots))
    for (x, labels), (same, same_labels) in zip(ahead, made.batches(shares), strict=True):
        assert torch.equal(x, same)
        assert torch.equal(labels, same_labels)
    assert all(slot.closed for slot in slots)


def counted(filled):
    def fill(item, slot):
        slot.rows(1)[:] = item
        filled.append(item)

    return fill


def slots_of_one():
    return [LateSlot((1,), np.int64) for _ in range(2)]


def number(item, rows):
    assert rows.item() == item
    return item


def test_read_ahead_is_one_batch_ahead_and_not_more():
    filled, seen = [], threading.Event()

    def items():
        for item in range(9):
            if item == 3:  # the second buffer is filled, the first not yet free
                seen.set()
            yield item

    results = read_ahead(items(), slots_of_one(), counted(filled), number)
    assert next(results) == 0
    assert seen.wait(timeout=300)
    assert filled == [0, 1, 2]  # 0 is made into its result already, so its buffer takes 2
    assert list(results) == list(range(1, 9))


def test_read_ahead_hands_errors_to_the_taker():
    def items():
        yield 1
        raise ValueError("the order ended early")

    results = read_ahead(items(), slots_of_one(), counted([]), number)
    assert next(results) == 1
    with pytest.raises(ValueError, match="ended early"):
        next(results)


def test_read_ahead_ends_when_its_taker_leaves():
    before, slots = threading.active_count(), slots_of_one()
    results = read_ahead(range(1000), slots, counted([]), number)
    assert next(results) == 0
    results.close()
    assert threading.active_count() == before
    assert all(slot.closed for slot in slots)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_cuda_gives_the_bits_of_the_cpu(dtype):
    images = stored_images(dtype, count=400)
    shares = [np.random.default_rng(step).permutation(400)[: 30 + step % 50] for step in range(50)]
    expected = taken(images, shares, resident=False)
    for resident in (True, False):
        made = ImageSet(images, np.arange(400) % 5, FACTOR, SHIFT, torch.device("cuda"), resident=resident)
        for (x, labels), (same, same_labels) in zip(made.batches(shares), expected, strict=True):
            assert torch.equal(x.cpu(), same)
            assert torch.equal(labels.cpu(), same_labels)


# --- which images a batch has ----------------------------------------------------------------------------------------


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
