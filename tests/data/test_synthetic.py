import hashlib

import h5py
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from terranas.data.prepare import prepare
from terranas.data.so2sat import So2SatReader
from terranas.data.synthetic import MIXES, draw_labels, write_synthetic

SIZES = {"train": 400, "validation": 200, "test": 40}
RAISE = (
    "The generator gives other images than before for the same seed. If that is meant, raise NUMERICS_VERSION in "
    "terranas/data/__init__.py and put the new values here."
)

GOLDEN_LABELS = "cba1b7ed0d9a098a"
GOLDEN_MEANS = [0.229554, 0.244818, 0.261455, 0.270264, 0.290261, 0.262003, 0.272891, 0.2598, 0.257871, 0.223607]
GOLDEN_PIXEL = [0.211, 0.1365, 0.0977, 0.3298, -0.0913, 0.2542, -0.0278, 0.1952, 0.1284, 0.3227]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    write_synthetic({split: folder / f"{split}.h5" for split in SIZES}, SIZES, seed=7)
    return folder


def content(folder, split):
    with h5py.File(folder / f"{split}.h5") as file:
        return {name: file[name][()] for name in file}


def test_layout(folder):
    for split, count in SIZES.items():
        arrays = content(folder, split)
        assert {name: value.shape for name, value in arrays.items()} == {
            "sen1": (count, 32, 32, 8),
            "sen2": (count, 32, 32, 10),
            "label": (count, 17),
        }
        assert {value.dtype for value in arrays.values()} == {np.dtype(np.float64)}
        assert (arrays["label"].sum(axis=0) >= 1).all()


def test_the_reader_of_so2sat_reads_it(folder, tmp_path):
    source = So2SatReader({split: folder / f"{split}.h5" for split in SIZES}, "sen2")
    outputs = {f"{s}_{p}": tmp_path / f"{s}_{p}.npy" for s in SIZES for p in ("images", "labels")}
    splits = prepare(source, outputs, tmp_path / "state").splits
    assert splits["train"].counts.argmax() == 16
    assert splits["validation"].counts.argmax() == splits["test"].counts.argmax() == 7
    with h5py.File(folder / "train.h5") as file:
        physical = np.load(outputs["train_images"]) * 1e-4 - 3.2768
        np.testing.assert_allclose(physical, file["sen2"], atol=1e-12)


def test_equal_seeds_give_equal_content(folder, tmp_path):
    write_synthetic({split: tmp_path / f"{split}.h5" for split in SIZES}, SIZES, seed=7)
    for split in SIZES:
        first, again = content(folder, split), content(tmp_path, split)
        assert all(np.array_equal(first[name], again[name]) for name in first)
    write_synthetic({"train": tmp_path / "other.h5"}, SIZES, seed=8)
    assert not np.array_equal(content(folder, "train")["sen2"], content(tmp_path, "other")["sen2"])


@pytest.mark.parametrize("count", [17, 18, 640, 10_000])
def test_labels_follow_the_mix(count):
    labels = draw_labels(count, MIXES["train"], np.random.default_rng(0))
    counts = np.bincount(labels, minlength=17)
    assert len(labels) == count
    assert counts.min() >= 1
    shares = np.array(MIXES["train"]) / sum(MIXES["train"])
    assert (abs(counts - 1 - shares * (count - 17)) < 1).all()


def test_too_few_labels_are_refused():
    with pytest.raises(ValueError, match="at least 17"):
        draw_labels(16, MIXES["train"], np.random.default_rng(0))


def test_classes_can_be_learned_and_other_cities_are_harder(folder):
    def features(split):
        arrays = content(folder, split)
        images = np.concatenate([arrays["sen1"], arrays["sen2"]], axis=3)
        return np.hstack([images.mean(axis=(1, 2)), images.std(axis=(1, 2))]), arrays["label"].argmax(1)

    (x, y), (other_x, other_y) = features("train"), features("validation")
    model = LinearDiscriminantAnalysis().fit(x[::2], y[::2])
    same, other = model.score(x[1::2], y[1::2]), model.score(other_x, other_y)
    chance = np.bincount(y).max() / len(y)
    assert chance + 0.1 < other < same - 0.05
    assert same < 0.95


def test_golden_content(folder):
    arrays = content(folder, "train")
    labels = arrays["label"].argmax(1).astype("<i8")
    assert hashlib.sha256(labels.tobytes()).hexdigest()[:16] == GOLDEN_LABELS, RAISE
    np.testing.assert_allclose(arrays["sen2"].mean(axis=(0, 1, 2)), GOLDEN_MEANS, rtol=1e-4, err_msg=RAISE)
    np.testing.assert_allclose(arrays["sen2"][0, 3, 4], GOLDEN_PIXEL, atol=2e-4, err_msg=RAISE)
