import json
from collections import namedtuple

import numpy as np
import pytest

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import sha256_file
from terranas.data.prepare import BandMoments, prepare

SPLITS = ("train", "validation", "test")


class FakeReader:
    bands, image_size, class_names, dtype = 3, 8, ("a", "b"), np.dtype(np.float32)

    def __init__(self, rows=5, count=23, labels=None):
        rng = np.random.default_rng(0)
        self.rows = rows
        self.images = {split: rng.normal(1e4, 1, (count, 3, 8, 8)).astype(np.float32) for split in SPLITS}
        self.labels = {split: np.arange(count) % 2 if labels is None else labels for split in SPLITS}

    def count(self, split):
        return len(self.labels[split])

    def where(self, split):
        return f"fake, {split}"

    def blocks(self, split):
        for start in range(0, self.count(split), self.rows):
            rows = slice(start, start + self.rows)
            yield self.images[split][rows], self.labels[split][rows]


def outputs(folder):
    return {f"{split}_{part}": folder / f"{split}_{part}.npy" for split in SPLITS for part in ("images", "labels")}


def test_arrays_statistics_and_checksums(tmp_path):
    source = FakeReader()
    prepared = prepare(source, outputs(tmp_path))
    manifest = prepared.manifest("npz")
    table = prepared.statistics_table("npz").set_index(["split", "band"])
    for split in SPLITS:
        images = np.load(tmp_path / f"{split}_images.npy", allow_pickle=False)
        labels = np.load(tmp_path / f"{split}_labels.npy", allow_pickle=False)
        np.testing.assert_array_equal(images, source.images[split])
        np.testing.assert_array_equal(labels, source.labels[split])
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
        assert manifest["splits"][split] == {
            "images": 23,
            "sha256_images": sha256_file(tmp_path / f"{split}_images.npy"),
            "sha256_labels": sha256_file(tmp_path / f"{split}_labels.npy"),
        }
        exact = source.images[split].astype(np.float64)
        for name, function in {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max}.items():
            np.testing.assert_allclose(table.loc[split, name], function(exact, axis=(0, 2, 3)), rtol=1e-9)
    classes = prepared.class_table("npz")
    assert classes["count"].tolist() == [12, 11] * 3
    assert classes["class_name"].tolist() == ["a", "b"] * 3
    json.dumps(manifest)
    assert str(tmp_path) not in json.dumps(manifest)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_block_size_does_not_matter(tmp_path, rows):
    first = prepare(FakeReader(), outputs(tmp_path / "a"))
    second = prepare(FakeReader(rows=rows), outputs(tmp_path / "b"))
    assert first.manifest("npz") == second.manifest("npz")
    np.testing.assert_allclose(
        first.statistics_table("npz")[["mean", "std"]], second.statistics_table("npz")[["mean", "std"]], rtol=1e-9
    )


def test_statistics_stay_accurate_far_from_zero():
    rng = np.random.default_rng(1)
    values = 1e7 + rng.normal(size=(50, 2, 8, 8))
    moments = BandMoments.empty(2)
    for block in np.array_split(values, 7):
        moments.add(block)
    np.testing.assert_allclose(moments.std, values.std(axis=(0, 2, 3)), rtol=1e-7)
    np.testing.assert_allclose(moments.mean, values.mean(axis=(0, 2, 3)), rtol=1e-14)


def test_class_missing_in_training_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"fake, train: no training image has the class 1 \(b\)"):
        prepare(FakeReader(labels=np.zeros(9, int)), outputs(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_empty_split_is_refused(tmp_path):
    with pytest.raises(DataError, match="the split has no images"):
        prepare(FakeReader(count=0), outputs(tmp_path))


def test_disk_space_is_checked_first(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(0, 0, 1000))
    with pytest.raises(EnvironmentLackError, match="Not enough disk space"):
        prepare(FakeReader(), outputs(tmp_path))
    assert list(tmp_path.iterdir()) == []
