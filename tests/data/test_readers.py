import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.config.inputs import ImagesConfig
from terranas.core.errors import DataError
from terranas.core.randomness import generator
from terranas.data.npz import NpzReader, stratified_splits
from terranas.data.reader import check_facts
from terranas.data.so2sat import So2SatReader

GOLDEN_SPLIT = [2, 4, 5, 6, 9, 11]
LAYOUT = ImagesConfig(bands=2, classes=3, image_size=8, train=0.5, validation=0.25, test=0.25)


def write_so2sat(path, count=20, **changed):
    rng = np.random.default_rng(count)
    content = {
        "sen1": rng.normal(size=(count, 32, 32, 8)),
        "sen2": rng.normal(size=(count, 32, 32, 10)),
        "label": np.eye(17)[rng.permutation(count) % 17],
    } | changed
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            if value is not None:
                file[name] = value
    return content


def reader(path, sensors="sen2", rows=7):
    return So2SatReader({"train": path}, sensors, rows)


def everything(source, split="train"):
    blocks = list(source.blocks(split))
    return np.concatenate([images for images, _ in blocks]), np.concatenate([labels for _, labels in blocks])


@pytest.mark.parametrize("sensors", ["sen1", "sen2", "both"])
def test_so2sat_content(tmp_path, sensors):
    content = write_so2sat(tmp_path / "a.h5")
    source = reader(tmp_path / "a.h5", sensors)
    images, labels = everything(source)
    names = ["sen1", "sen2"] if sensors == "both" else [sensors]
    expected = np.concatenate([content[name] for name in names], axis=3).astype(np.float32)
    np.testing.assert_array_equal(images, np.moveaxis(expected, 3, 1))
    np.testing.assert_array_equal(labels, content["label"].argmax(1))
    assert images.dtype == np.float32
    assert source.bands == images.shape[1]
    assert source.count("train") == 20


def with_value(array, place, value):
    array = array.copy()
    array[place] = value
    return array


ONE_HOT = np.eye(17)[np.arange(20) % 17]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sen2": None}, "lacks the dataset 'sen2'; it has label, sen1"),
        (
            {"sen2": np.zeros((20, 32, 32, 9))},
            r"dataset 'sen2' has shape \(20, 32, 32, 9\); expected \(N, 32, 32, 10\)",
        ),
        ({"sen2": np.zeros((19, 32, 32, 10))}, "equally many images, at least one; they have sen2 19, label 20"),
        ({"label": np.zeros((20, 16))}, r"dataset 'label' has shape \(20, 16\); expected \(N, 17\)"),
        ({"label": np.full((20, 17), b"x")}, r"dataset 'label' has type \|S1; expected float64"),
        ({"label": with_value(ONE_HOT, (13, slice(None)), 0)}, "image 13 is not one-hot"),
        ({"label": with_value(ONE_HOT, (13, slice(None)), 1)}, "image 13 is not one-hot .*17 values .* sum 17"),
        ({"label": ONE_HOT / 2}, "image 0 is not one-hot"),
        ({"label": with_value(ONE_HOT, 3, np.nan)}, "image 3 is not one-hot"),
    ],
)
def test_so2sat_faults_are_named(tmp_path, changed, message):
    write_so2sat(tmp_path / "a.h5", **changed)
    with pytest.raises(DataError, match=message) as caught:
        everything(reader(tmp_path / "a.h5"))
    assert "a.h5" in str(caught.value)


def test_so2sat_counts_all_pixels_that_are_not_finite(tmp_path):
    sen2 = np.zeros((20, 32, 32, 10))
    sen2[2, 0, :3, 0] = np.nan
    sen2[18, 5, 5, :2] = np.inf
    sen2[19, 0, 0, 0] = 1e300  # not a float32
    write_so2sat(tmp_path / "a.h5", sen2=sen2)
    with pytest.raises(DataError, match="dataset sen2: 6 values are NaN or infinite"):
        everything(reader(tmp_path / "a.h5"))
    everything(reader(tmp_path / "a.h5", "sen1"))


def test_so2sat_missing_truncated_and_damaged(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        reader(tmp_path / "a.h5")
    write_so2sat(tmp_path / "a.h5")
    content = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cannot be opened as an HDF5 file .*truncated"):
        reader(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("sen2", data=np.random.default_rng(0).normal(size=(20, 32, 32, 10)), compression="gzip")
        file["label"] = ONE_HOT
        start = file["sen2"].id.get_chunk_info(0).byte_offset
    content = bytearray((tmp_path / "b.h5").read_bytes())
    content[start : start + 4000] = b"\0" * 4000
    (tmp_path / "b.h5").write_bytes(content)
    with pytest.raises(DataError, match="images 0 and following cannot be read"):
        everything(reader(tmp_path / "b.h5"))


def write_npz(path, count=40, **changed):
    rng = np.random.default_rng(count)
    content = {
        "x": rng.integers(0, 256, (count, 8, 8, 2), dtype=np.uint8),
        "y": np.arange(count, dtype=np.uint8) % 3,
        "names": np.array(["grass", "sea", "town"]),
    } | changed
    np.savez(path, **content)
    return content


def test_npz_content(tmp_path):
    content = write_npz(tmp_path / "a.npz")
    source = NpzReader(tmp_path / "a.npz", LAYOUT, seed=3, rows=7)
    splits = stratified_splits(
        content["y"].astype(int), {"train": 0.5, "validation": 0.25, "test": 0.25}, generator(3, "data.split")
    )
    for split, rows in splits.items():
        images, labels = everything(source, split)
        np.testing.assert_array_equal(images, np.moveaxis(content["x"][rows], 3, 1))
        np.testing.assert_array_equal(labels, content["y"][rows])
        assert images.dtype == np.uint8
        assert source.count(split) == len(rows)
    assert source.class_names == ("grass", "sea", "town")


def test_npz_other_types_become_float32(tmp_path):
    content = write_npz(tmp_path / "a.npz", x=np.arange(40 * 128, dtype=np.uint16).reshape(40, 8, 8, 2))
    images, _ = everything(NpzReader(tmp_path / "a.npz", LAYOUT, seed=3))
    assert images.dtype == np.float32
    assert set(images.ravel()) <= set(content["x"].ravel())


def test_npz_faults_are_named(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, y=np.append(np.zeros(39, int), 3))
    with pytest.raises(DataError, match=r"a\.npz, array y: label 3 of image 39 is out of range; expected 0 to 2"):
        NpzReader(path, LAYOUT, seed=0)
    write_npz(path, x=np.full((40, 8, 8, 2), np.nan))
    with pytest.raises(DataError, match="array x, train split: 2432 values are NaN"):
        everything(NpzReader(path, LAYOUT, seed=0))
    write_npz(path)
    content = bytearray(path.read_bytes())
    content[1000:1010] = b"\0" * 10
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged or truncated"):
        NpzReader(path, LAYOUT, seed=0)


def test_shape_of_the_study_is_compared(tmp_path):
    write_npz(tmp_path / "a.npz")
    source = NpzReader(tmp_path / "a.npz", LAYOUT, seed=0)
    check_facts(source, bands=2, classes=3, image_size=8)
    with pytest.raises(DataError, match="bands is 2, the study expects 10"):
        check_facts(source, bands=10, classes=3, image_size=8)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any),
    st.tuples(*[st.integers(1, 33)] * 3),
    st.integers(0, 5),
)
def test_splits_are_stratified_disjoint_and_deterministic(sizes, percent, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    shares = dict(zip(("train", "validation", "test"), (part / 100 for part in percent), strict=True))
    splits = stratified_splits(labels, shares, np.random.default_rng(seed))
    again = stratified_splits(labels, shares, np.random.default_rng(seed))
    together = np.concatenate(list(splits.values()))
    assert len(set(together)) == len(together)
    for name, share in shares.items():
        np.testing.assert_array_equal(splits[name], again[name])
        assert (np.diff(splits[name]) > 0).all()
        counts = np.bincount(labels[splits[name]], minlength=len(sizes))
        assert (abs(counts - share * np.array(sizes)) <= 1 + 1e-9).all()


def test_whole_shares_use_every_image():
    labels = np.arange(101) % 4
    splits = stratified_splits(labels, {"a": 0.7, "b": 0.2, "c": 0.1}, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(list(splits.values()))), np.arange(101))
    other = stratified_splits(labels, {"a": 0.7, "b": 0.2, "c": 0.1}, np.random.default_rng(1))
    assert set(splits["a"]) != set(other["a"])


def test_golden_split():
    splits = stratified_splits(np.arange(12) % 2, {"train": 0.5, "test": 0.5}, generator(0, "data.split"))
    assert splits["train"].tolist() == GOLDEN_SPLIT, (
        "The same seed draws another split than before. If that is meant, raise NUMERICS_VERSION in "
        "terranas/data/__init__.py and put the new values here."
    )
