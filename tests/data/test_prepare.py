"""The streaming pass: arrays, statistics, checksums, types that had to be changed, and kills."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import sha256_file
from terranas.data.partial import RECORD, alone
from terranas.data.prepare import Options, prepare
from terranas.data.reader import regrouped

SPLITS = ("train", "validation", "test")
EVERY_BLOCK = Options(record_seconds=0.0, key="a")


class FakeReader:
    bands, image_size, class_names = 3, 8, ("a", "b")

    def __init__(self, rows=5, count=23, labels=None, images=None, stop_at=None):
        rng = np.random.default_rng(0)
        self.rows = rows
        self.images = {split: rng.normal(1e4, 1, (count, 8, 8, 3)).astype(np.float32) for split in SPLITS}
        self.images |= images or {}
        self.dtype = self.images["train"].dtype
        self.labels = {split: np.arange(count) % 2 if labels is None else labels for split in SPLITS}
        self.stop_at = stop_at
        self.given = []

    def count(self, split):
        return len(self.labels[split])

    def where(self, split, index=None):
        return f"fake, {split}" + ("" if index is None else f", image {index}")

    def blocks(self, split, start=0):
        for first in range(start, self.count(split), self.rows):
            if (split, first) == self.stop_at:
                raise KeyboardInterrupt
            self.given.append((split, first))
            rows = slice(first, first + self.rows)
            yield self.images[split][rows], self.labels[split][rows]


def outputs(folder):
    return {f"{split}_{part}": folder / f"{split}_{part}.npy" for split in SPLITS for part in ("images", "labels")}


def prepared_in(folder, reader, options=None):
    return prepare(reader, outputs(folder / "out"), folder / "state", options)


def arrays(folder, part="images"):
    return {split: np.load(folder / "out" / f"{split}_{part}.npy", allow_pickle=False) for split in SPLITS}


def test_arrays_statistics_and_checksums(tmp_path):
    source = FakeReader()
    prepared = prepared_in(tmp_path, source)
    manifest = prepared.manifest("npz")
    table = prepared.statistics_table("npz").set_index(["split", "band"])
    for split in SPLITS:
        images, labels = arrays(tmp_path)[split], arrays(tmp_path, "labels")[split]
        np.testing.assert_array_equal(images, source.images[split])
        np.testing.assert_array_equal(labels, source.labels[split])
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
        assert manifest["splits"][split] == {
            "images": 23,
            "dropped": 0,
            "sha256_images": sha256_file(tmp_path / "out" / f"{split}_images.npy"),
            "sha256_labels": sha256_file(tmp_path / "out" / f"{split}_labels.npy"),
        }
        exact = source.images[split].astype(np.float64)
        for name, function in {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max}.items():
            np.testing.assert_allclose(table.loc[split, name], function(exact, axis=(0, 1, 2)), rtol=1e-9)
    assert manifest["storage"] == {
        "dtype": "float32",
        "scale": [1.0] * 3,
        "offset": [0.0] * 3,
        "largest_error": [0.0] * 3,
    }
    classes = prepared.class_table("npz")
    assert classes["count"].tolist() == [12, 11] * 3
    assert classes["class_name"].tolist() == ["a", "b"] * 3
    assert str(tmp_path) not in json.dumps(manifest)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_block_size_does_not_matter(tmp_path, rows):
    first = prepared_in(tmp_path / "a", FakeReader())
    second = prepared_in(tmp_path / "b", FakeReader(rows=rows))
    assert first.manifest("npz") == second.manifest("npz")
    np.testing.assert_allclose(
        first.statistics_table("npz")[["mean", "std"]], second.statistics_table("npz")[["mean", "std"]], rtol=1e-9
    )


def test_blocks_are_regrouped():
    rng = np.random.default_rng(0)
    for _ in range(20):
        cuts = np.sort(rng.integers(0, 50, size=8))
        pieces = [(part[:, None], part) for part in np.split(np.arange(50), cuts)]
        blocks = list(regrouped(iter(pieces), 7))
        assert [len(labels) for _, labels in blocks] == [7] * 7 + [1]
        np.testing.assert_array_equal(np.concatenate([labels for _, labels in blocks]), np.arange(50))
        np.testing.assert_array_equal(np.concatenate([images for images, _ in blocks])[:, 0], np.arange(50))


def reflectances(split, harm=()):
    """Images of whole multiples of 1e-4, in which some places hold other values: (image, value)."""
    rng = np.random.default_rng(SPLITS.index(split))
    images = rng.integers(0, 9000, size=(60, 8, 8, 3)) / 1e4
    for image, value in harm:
        images[image, 3, 4, 1] = value
    return images


@pytest.mark.parametrize(
    ("value", "dtype", "attempts"),
    [(6.5, "uint16", 1), (-0.5, "uint16", 2), (7.5, "float16", 2), (1e-9, "float16", 2), (2.0**20, "float16", 2)],
)
def test_a_type_that_a_later_block_breaks_is_widened(tmp_path, caplog, value, dtype, attempts):
    """Image 20 of 60 is in none of the sampled blocks."""
    images = {split: reflectances(split) for split in SPLITS} | {
        "validation": reflectances("validation", [(20, value)])
    }
    source = FakeReader(count=60, images=images)
    with caplog.at_level(logging.INFO):
        prepared = prepared_in(tmp_path, source)
    storage = prepared.manifest("x")["storage"]
    assert storage["dtype"] == dtype
    assert ("does not hold the images" in caplog.text) == (attempts > 1)
    assert source.given.count(("train", 0)) == 1 + attempts  # and once for the sample
    for split, stored in arrays(tmp_path).items():
        physical = stored.astype(np.float64) * storage["scale"] + storage["offset"]
        errors = abs(physical - images[split]).max(axis=(0, 1, 2))
        assert (errors <= storage["largest_error"]).all()
        np.testing.assert_allclose(physical, images[split], rtol=2.0**-11, atol=3e-4)
    largest = max(x.max() for x in images.values())
    assert prepared.statistics_table("x")["max"].max() == pytest.approx(largest, rel=2.0**-11)


def test_a_type_that_was_asked_for_is_not_widened(tmp_path):
    images = {split: reflectances(split) for split in SPLITS} | {"test": reflectances("test", [(20, 1e-9)])}
    with pytest.raises(DataError, match=r"data\.storage is uint16, which the pixels do not fit"):
        prepared_in(tmp_path, FakeReader(count=60, images=images), Options(storage="uint16"))
    assert not (tmp_path / "out").exists()


def test_precision_is_judged_by_whole_splits(tmp_path):
    """The sample varies much, everything else lies near 10,000, where float16 has steps of 8."""
    rng = np.random.default_rng(0)
    images = {split: rng.normal(1e4, 0.5, size=(400, 8, 8, 3)) for split in SPLITS}
    for split in SPLITS:
        for block in (0, 200, 360):
            images[split][block : block + 5] = rng.normal(0, 1e4, size=(5, 8, 8, 3))
    assert prepared_in(tmp_path / "a", FakeReader(count=400, images=images)).storage.dtype == np.float16
    for split in SPLITS:
        images[split][5:200] = images[split][205:360].mean()
        images[split][205:360] = images[split][205:360].mean()
        images[split][365:] = 10_003
        for block in (0, 200, 360):
            images[split][block : block + 5] = rng.normal(0, 9, size=(5, 8, 8, 3)) + 1e4
            images[split][block] = 0
    wide = prepared_in(tmp_path / "b", FakeReader(count=400, images=images))
    assert wide.storage.dtype == np.float32


def spoiled(places):
    images = FakeReader().images["train"]
    for image, value in places:
        images[image, 2, 3, 1] = value
    return FakeReader(images={"train": images})


def test_pixels_that_are_not_finite_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"fake, train, image 7: NaN or infinite pixels in 3 of the train images.*drop"):
        prepared_in(tmp_path, spoiled([(7, np.nan), (9, np.inf), (22, -np.inf)]))
    assert not (tmp_path / "out").exists()


def test_spoiled_images_are_dropped(tmp_path, caplog):
    places = [(0, np.nan), (7, np.nan), (9, np.inf), *((i, np.nan) for i in range(10, 15))]
    reader = spoiled(places)
    with caplog.at_level(logging.WARNING):
        prepared = prepared_in(tmp_path, reader, Options(not_finite="drop"))
    assert "8 of the train images; left out" in caplog.text
    kept = [i for i in range(23) if i not in {image for image, _ in places}]
    np.testing.assert_array_equal(arrays(tmp_path)["train"], reader.images["train"][kept])
    np.testing.assert_array_equal(arrays(tmp_path, "labels")["train"], reader.labels["train"][kept])
    split = prepared.manifest("x")["splits"]["train"]
    assert (split["images"], split["dropped"]) == (15, 8)
    assert split["sha256_images"] == sha256_file(tmp_path / "out" / "train_images.npy")
    assert prepared.class_table("x")["count"].sum() == 15 + 46


def test_spoiled_pixels_become_zero(tmp_path):
    prepared = prepared_in(tmp_path, spoiled([(7, np.nan), (9, np.inf)]), Options(not_finite="zero"))
    images = arrays(tmp_path)["train"]
    assert len(images) == 23
    assert np.argwhere(images == 0).tolist() == [[7, 2, 3, 1], [9, 2, 3, 1]]
    assert prepared.statistics_table("x")["min"].tolist()[1] == 0


def test_a_split_of_spoiled_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="no images with finite pixels"):
        prepared_in(tmp_path, spoiled([(i, np.nan) for i in range(23)]), Options(not_finite="drop"))


@pytest.mark.parametrize("stop_at", [("train", 5), ("train", 20), ("validation", 0), ("test", 15)])
@pytest.mark.parametrize("not_finite", ["drop", "zero"])
def test_an_interrupted_preparation_goes_on(tmp_path, stop_at, not_finite):
    def reader(**changed):
        images = {split: reflectances(split, [(3, np.nan), (17, np.nan), (20, -0.25)])[:23] for split in SPLITS}
        return FakeReader(images=images, **changed)

    options = Options(record_seconds=0.0, key="a", not_finite=not_finite)
    whole = prepared_in(tmp_path / "a", reader(), options)
    with pytest.raises(KeyboardInterrupt):
        prepared_in(tmp_path / "b", StopsLater(reader(), stop_at), options)
    assert not (tmp_path / "b" / "out").exists()
    again = reader()
    rest = prepared_in(tmp_path / "b", again, options)
    assert again.given[again.given.index(("test", 20)) + 1] == stop_at  # the sample ends with the last images
    assert rest.manifest("x") == whole.manifest("x")
    assert rest.statistics_table("x").equals(whole.statistics_table("x"))
    assert rest.class_table("x").equals(whole.class_table("x"))
    for name in outputs(tmp_path):
        assert (tmp_path / "a/out" / f"{name}.npy").read_bytes() == (tmp_path / "b/out" / f"{name}.npy").read_bytes()
    assert not (tmp_path / "b" / "state").exists()


class StopsLater:
    """Stops at a block in the pass, and not in the sample that is taken before."""

    def __init__(self, reader, stop_at):
        self.__dict__ |= reader.__dict__
        self.reader, self.stop_at, self.passing = reader, stop_at, False

    bands, image_size, class_names = FakeReader.bands, FakeReader.image_size, FakeReader.class_names

    def count(self, split):
        return self.reader.count(split)

    def where(self, split, index=None):
        return self.reader.where(split, index)

    def blocks(self, split, start=0):
        self.passing = self.passing or (split == "train" and start == 0 and ("test", 20) in self.reader.given)
        self.reader.stop_at = self.stop_at if self.passing else None
        return self.reader.blocks(split, start)


@pytest.mark.parametrize("harm", ["images", "labels", "short", "gone", "key", "record"])
def test_what_was_changed_since_is_begun_anew(tmp_path, harm):
    whole = prepared_in(tmp_path / "a", FakeReader(), EVERY_BLOCK)
    with pytest.raises(KeyboardInterrupt):
        prepared_in(tmp_path / "b", StopsLater(FakeReader(), ("train", 20)), EVERY_BLOCK)
    state = tmp_path / "b" / "state"
    if harm in ("images", "labels"):
        content = bytearray((state / f"train_{harm}.npy").read_bytes())
        content[200] ^= 1
        (state / f"train_{harm}.npy").write_bytes(content)
    elif harm == "short":
        os.truncate(state / "train_images.npy", 1000)
    elif harm == "gone":
        (state / "train_labels.npy").unlink()
    elif harm == "record":
        (state / RECORD).write_text('{"key": "a", "splits": {"train": 3}}')
    again = FakeReader()
    options = Options(record_seconds=0.0, key="b") if harm == "key" else EVERY_BLOCK
    rest = prepared_in(tmp_path / "b", again, options)
    assert again.given.count(("train", 0)) == 2  # for the sample and for the pass
    assert rest.manifest("x") == whole.manifest("x")
    assert rest.statistics_table("x").equals(whole.statistics_table("x"))


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_prepare import FakeReader, outputs, prepare, Options
class Slow(FakeReader):
    def blocks(self, split, start=0):
        for block in super().blocks(split, start):
            time.sleep(0.02)
            yield block
folder = Path(sys.argv[1])
prepare(Slow(count=500), outputs(folder / "out"), folder / "state", Options(record_seconds=0.0, key="a"))
"""


def test_a_killed_process_leaves_what_the_next_one_takes_up(tmp_path, caplog):
    arguments = [sys.executable, "-c", KILLED, str(tmp_path / "b"), str(Path(__file__).parent)]
    process = subprocess.Popen(arguments)
    record = tmp_path / "b" / "state" / RECORD
    for _ in range(1000):
        if record.exists() and '"validation"' in record.read_text():
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with caplog.at_level(logging.INFO):
        rest = prepared_in(tmp_path / "b", FakeReader(count=500), EVERY_BLOCK)
    assert "train: 500 of 500 images were prepared before" in caplog.text
    assert rest.manifest("x") == prepared_in(tmp_path / "a", FakeReader(count=500)).manifest("x")


def test_a_second_preparation_waits_for_the_first(tmp_path, caplog):
    with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.WARNING):
        with alone(tmp_path / "state"):
            second = pool.submit(prepared_in, tmp_path, FakeReader())
            while "waiting for its end" not in caplog.text:
                assert not second.done()
                time.sleep(0.01)
            assert not (tmp_path / "out").exists()
        assert second.result(timeout=300).splits["train"].written == 23


def test_class_missing_in_training_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"fake, train: no training image has the class 1 \(b\)"):
        prepared_in(tmp_path, FakeReader(labels=np.zeros(9, int)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", [22, 24])
def test_a_reader_that_miscounts_is_refused(tmp_path, count):
    class Miscounting(FakeReader):
        def count(self, split):
            return count if split == "test" else 23

    with pytest.raises(DataError, match="images came"):
        prepared_in(tmp_path, Miscounting())


def test_empty_split_is_refused(tmp_path):
    with pytest.raises(DataError, match="the split has no images"):
        prepared_in(tmp_path, FakeReader(count=0))


def test_disk_space_is_checked_first(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, 1000))
    with pytest.raises(EnvironmentLackError, match="Not enough disk space"):
        prepared_in(tmp_path, FakeReader())
    assert list(tmp_path.rglob("*.npy")) == []


class EndlessReader(FakeReader):
    """Makes its images on the way, so that only the preparation itself holds any."""

    def __init__(self, count):
        super().__init__(rows=64, count=8)
        self.size = count

    def count(self, split):
        return self.size if split == "train" else 8

    def blocks(self, split, start=0):
        for first in range(start, self.count(split), 64):
            count = min(64, self.count(split) - first)
            pixels = np.random.default_rng(first).normal(1e4, 1, (count, 8, 8, 3)).astype(np.float32)
            yield pixels, np.arange(first, first + count) % 2


def test_memory_does_not_grow_with_the_images(tmp_path):
    peaks = []
    for count in (1_000, 16_000):
        tracemalloc.start()
        prepared_in(tmp_path / str(count), EndlessReader(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
