import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terranas.config.inputs import ImagesConfig
from terranas.core.errors import DataError
from terranas.core.randomness import generator
from terranas.data.npz import NpzReader
from terranas.data.reader import check_facts
from terranas.data.so2sat import So2SatReader
from terranas.data.splits import split_sizes, stratified_splits

from .reading import everything

GOLDEN_SPLIT = [2, 4, 5, 6, 9, 11]
LAYOUT = ImagesConfig(bands=2, classes=3, image_size=8, train=0.5, validation=0.25, test=0.25)


def write_so2sat(path, count=20, options=None, **changed):
    rng = np.random.default_rng(count)
    content = {
        "sen1": rng.normal(size=(count, 32, 32, 8)),
        "sen2": rng.normal(size=(count, 32, 32, 10)),
        "label": np.eye(17)[rng.permutation(count) % 17],
    } | changed
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            if value is not None:
                file.create_dataset(name, data=value, **(options or {}))
    return content


def reader(path, sensors="sen2", rows=7):
    return So2SatReader({"train": path}, sensors, rows)


@pytest.mark.parametrize("sensors", ["sen1", "sen2", "both"])
@pytest.mark.parametrize("start", [0, 5, 7, 19])
def test_so2sat_content(tmp_path, sensors, start):
    content = write_so2sat(tmp_path / "a.h5")
    source = reader(tmp_path / "a.h5", sensors)
    images, labels = everything(source, start=start)
    names = ["sen1", "sen2"] if sensors == "both" else [sensors]
    expected = np.concatenate([content[name] for name in names], axis=3)
    np.testing.assert_array_equal(images, expected[start:])
    np.testing.assert_array_equal(labels, content["label"].argmax(1)[start:])
    assert images.dtype == source.dtype == np.float64
    assert source.bands == images.shape[3]
    assert source.count("train") == 20


@pytest.mark.parametrize(
    ("chunks", "rows"),
    [((1, 32, 32, 10), 102), ((60, 32, 32, 10), 60), ((500, 8, 8, 1), 102), ((150, 32, 32, 10), 150)],
)
def test_so2sat_files_are_read_in_whole_chunks(tmp_path, chunks, rows):
    images = np.random.default_rng(0).normal(size=(520, 32, 32, 10))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("sen2", data=images, chunks=chunks)
        file["label"] = np.eye(17)[np.arange(520) % 17]
    source = So2SatReader({"train": tmp_path / "a.h5"}, "sen2")
    assert source.rows == rows
    np.testing.assert_array_equal(everything(source)[0], images)


def test_so2sat_random_split(tmp_path):
    """80 and 20 % of every class of the training file; the test file stays."""
    content = write_so2sat(tmp_path / "training.h5", 170)
    tested = write_so2sat(tmp_path / "testing.h5", 34)
    files = {"train": tmp_path / "training.h5", "test": tmp_path / "testing.h5"}
    source = So2SatReader(files, "sen2", rows=9, random_seed=5)
    truth = content["label"].argmax(1)
    chosen = stratified_splits(truth, {"train": 0.8, "validation": 0.2}, generator(5, "data.split"))
    for split in ("train", "validation"):
        for start in (0, 1, 20):
            images, labels = everything(source, split, start)
            np.testing.assert_array_equal(images, content["sen2"][chosen[split][start:]])
            np.testing.assert_array_equal(labels, truth[chosen[split][start:]])
        assert source.count(split) == len(chosen[split])
        assert np.bincount(truth[chosen[split]]).tolist() == [8 if split == "train" else 2] * 17
        assert source.where(split, 3).endswith(f"training.h5, dataset sen2, image {chosen[split][3]}")
    np.testing.assert_array_equal(everything(source, "test")[0], tested["sen2"])
    other = So2SatReader(files, "sen2", random_seed=6)
    assert not np.array_equal(everything(other, "validation")[0], everything(source, "validation")[0])


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
        ({"sen2": np.zeros((20, 32, 32, 10), complex)}, "dataset 'sen2' has type complex128; expected float64"),
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


def test_so2sat_missing_and_truncated(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        reader(tmp_path / "a.h5")
    write_so2sat(tmp_path / "a.h5")
    content = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cannot be opened as an HDF5 file .*truncated"):
        reader(tmp_path / "a.h5")


@pytest.mark.parametrize("image", [0, 11])
def test_so2sat_damaged_chunk_is_named_by_its_image(tmp_path, image):
    options = {"compression": "gzip", "chunks": True}
    write_so2sat(tmp_path / "b.h5", sen2=None, sen1=None, options=options)
    with h5py.File(tmp_path / "b.h5", "a") as file:
        pixels = np.random.default_rng(0).normal(size=(20, 32, 32, 10))
        file.create_dataset("sen2", data=pixels, compression="gzip", chunks=(1, 32, 32, 10))
        start = file["sen2"].id.get_chunk_info_by_coord((image, 0, 0, 0)).byte_offset
    content = bytearray((tmp_path / "b.h5").read_bytes())
    content[start : start + 4000] = b"\0" * 4000
    (tmp_path / "b.h5").write_bytes(content)
    with pytest.raises(DataError, match=f"dataset 'sen2': image {image} cannot be read"):
        everything(reader(tmp_path / "b.h5"))


@pytest.mark.parametrize("kind", ["external link", "soft link", "external storage", "virtual"])
def test_so2sat_values_elsewhere_are_refused(tmp_path, kind):
    write_so2sat(tmp_path / "other.h5")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["label"] = ONE_HOT
        if kind == "external link":
            file["sen2"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "sen2")
        elif kind == "soft link":
            file["sen2"] = h5py.SoftLink("/label")
        elif kind == "external storage":
            (tmp_path / "raw").write_bytes(bytes(20 * 1024 * 80))
            place = [(str(tmp_path / "raw"), 0, h5py.h5f.UNLIMITED)]
            file.create_dataset("sen2", (20, 32, 32, 10), "f8", external=place)
        else:
            layout = h5py.VirtualLayout((20, 32, 32, 10), "f8")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "sen2", (20, 32, 32, 10))
            file.create_virtual_dataset("sen2", layout)
    with pytest.raises(DataError, match="dataset 'sen2' points to another place"):
        reader(tmp_path / "a.h5")


def write_npz(path, count=40, **changed):
    rng = np.random.default_rng(count)
    content = {
        "x": rng.integers(0, 256, (count, 8, 8, 2), dtype=np.uint8),
        "y": np.arange(count, dtype=np.uint8) % 3,
        "names": np.array(["grass", "sea", "town"]),
    } | changed
    np.savez(path, **content)
    return content


@pytest.mark.parametrize("dtype", [np.uint8, ">u2", np.float32, np.float64])
def test_npz_content(tmp_path, dtype):
    content = write_npz(tmp_path / "a.npz", x=np.arange(40 * 128).reshape(40, 8, 8, 2).astype(dtype))
    source = NpzReader(tmp_path / "a.npz", LAYOUT, seed=3, rows=7)
    splits = stratified_splits(
        content["y"].astype(int), {"train": 0.5, "validation": 0.25, "test": 0.25}, generator(3, "data.split")
    )
    for split, rows in splits.items():
        for start in (0, 3):
            images, labels = everything(source, split, start)
            np.testing.assert_array_equal(images, content["x"][rows[start:]])
            np.testing.assert_array_equal(labels, content["y"][rows[start:]])
        assert images.dtype == source.dtype == np.dtype(dtype).newbyteorder("=")
        assert source.count(split) == len(rows)
        assert source.where(split, 2).endswith(f"a.npz, array x, image {rows[2]}")
    assert source.class_names == ("grass", "sea", "town")


def test_npz_faults_are_named(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, y=np.append(np.zeros(39, int), 3))
    with pytest.raises(DataError, match=r"a\.npz, array y: label 3 of image 39 is out of range; expected 0 to 2"):
        NpzReader(path, LAYOUT, seed=0)
    write_npz(path, x=np.asfortranarray(np.zeros((40, 8, 8, 2))))
    with pytest.raises(DataError, match="array x is stored in Fortran order"):
        NpzReader(path, LAYOUT, seed=0)
    write_npz(path, x=np.array([None] * 40, dtype=object))
    with pytest.raises(DataError, match="array x has"):
        NpzReader(path, LAYOUT, seed=0)


@pytest.mark.parametrize("compress", [np.savez, np.savez_compressed])
def test_npz_damaged_pixels_are_found(tmp_path, compress):
    path = tmp_path / "a.npz"
    compress(path, **write_npz(path))
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo("x.npy").header_offset + 2000
    content = bytearray(path.read_bytes())
    content[place : place + 10] = bytes(255 - value for value in content[place : place + 10])
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npz is damaged or truncated"):
        everything(NpzReader(path, LAYOUT, seed=0))


@pytest.mark.parametrize(("images", "message"), [(39, "array x ends early"), (41, "more values than its header says")])
def test_npz_whose_header_lies_is_refused(tmp_path, images, message):
    path = tmp_path / "a.npz"
    content = write_npz(path)
    lying = np.zeros((images, 8, 8, 2), np.uint8)
    np.save(tmp_path / "x.npy", lying)
    raw = (tmp_path / "x.npy").read_bytes().replace(str(lying.shape).encode(), str((40, 8, 8, 2)).encode())
    del content["x"]
    np.savez(path, **content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", raw)
    with pytest.raises(DataError, match=message):
        everything(NpzReader(path, LAYOUT, seed=0))


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
    assert split_sizes(sizes, shares) == {name: len(rows) for name, rows in splits.items()}


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
