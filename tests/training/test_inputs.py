import logging
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import sha256_file
from terranas.data.layout import SPLITS
from terranas.training.inputs import held_on_device, image_sets, normalisation, open_arrays, verify_arrays

CPU = torch.device("cpu")
COUNTS = {"train": 20, "validation": 9, "test": 7}
STORAGE = {"dtype": "uint16", "scale": [0.5, 0.001], "offset": [-3.0, 0.0], "largest_error": [0.25, 0.0005]}


@pytest.fixture
def given(tmp_path):
    """Arrays and their manifest."""
    rng = np.random.default_rng(0)
    paths, splits = {}, {}
    for split, count in COUNTS.items():
        parts = {"images": rng.integers(0, 60000, (count, 6, 6, 2), np.uint16), "labels": np.arange(count) % 3}
        splits[split] = {"images": count, "dropped": 0}
        for part, content in parts.items():
            path = tmp_path / f"{split}_{part}.npy"
            np.save(path, content)
            paths[f"{split}_{part}"] = str(path)
            splits[split][f"sha256_{part}"] = sha256_file(path)
    return paths, {"bands": 2, "classes": 3, "image_size": 6, "storage": STORAGE, "splits": splits}


def job_of(given, resident="auto"):
    statistics = {
        "train": {"mean": [10.0, 20.0], "std": [4.0, 0.5]},
        "validation": {"mean": [11.0, 21.0], "std": [5.0, 0.6]},
        "test": {"mean": [10.0, 20.0], "std": [4.0, 0.5]},
    }
    return SimpleNamespace(arrays=given[0], manifest=given[1], statistics=statistics, campaign={"resident": resident})


@pytest.mark.parametrize("resident", ["auto", "always", "never"])
def test_a_split_is_normalised_by_its_statistics(given, resident):
    job = job_of(given, resident)
    sets = image_sets(job, CPU, channels_last=True)
    assert {split: len(images) for split, images in sets.items()} == COUNTS
    for split in SPLITS:
        order = np.random.default_rng(1).permutation(COUNTS[split])
        ((x, labels),) = sets[split].batches([order])
        physical = np.load(given[0][f"{split}_images"])[order] * np.array(STORAGE["scale"]) + STORAGE["offset"]
        wanted = (physical - job.statistics[split]["mean"]) / job.statistics[split]["std"]
        np.testing.assert_allclose(x.permute(0, 2, 3, 1).numpy(), wanted, rtol=1e-5, atol=1e-3)
        assert labels.tolist() == (order % 3).tolist()


def test_images_that_do_not_fit_say_what_to_do(given, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8 GiB")

    monkeypatch.setattr("terranas.training.inputs.ImageSet", full)
    with pytest.raises(
        EnvironmentLackError, match=r"train images do not fit .*8 GiB\). Set campaign.resident to never"
    ):
        image_sets(job_of(given, "always"), CPU, channels_last=True)


def test_a_band_without_variation_is_only_centred():
    factor, shift = normalisation({"scale": [2.0], "offset": [1.0]}, {"mean": [7.0], "std": [0.0]})
    assert (3 * factor + shift).tolist() == [0.0]
    assert (4 * factor + shift).tolist() == [2.0]


def rewrite(given, name, content):
    np.save(given[0][name], content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "test_images",
            np.zeros((7, 6, 5, 2), np.uint16),
            r"has shape \(7, 6, 5, 2\), its manifest says \(7, 6, 6, 2\)",
        ),
        ("test_images", np.zeros((7, 6, 6, 2), np.float32), "has type float32, its manifest says uint16"),
        ("test_images", np.zeros((7, 6, 6, 2), ">u2"), "has type >u2, its manifest says uint16"),
        ("test_images", np.asfortranarray(np.zeros((7, 6, 6, 2), np.uint16)), "is not in C order"),
        ("test_labels", np.zeros(8, np.int64), r"has shape \(8,\), its manifest says \(7,\)"),
        ("test_labels", np.zeros(7, np.int32), "has type int32, its manifest says int64"),
        ("test_labels", np.array([0, 1, 2, 3, 0, 0, 0]), "has labels from 0 to 3, expected 0 to 2"),
        ("test_labels", np.array([0, 1, 2, -1, 0, 0, 0]), "has labels from -1 to 2"),
        ("test_labels", np.array([None] * 7), "cannot be read as an array"),
    ],
)
def test_an_array_that_is_not_the_manifests_is_named(given, name, content, message):
    rewrite(given, name, content)
    with pytest.raises(DataError, match=rf"{name}\.npy {message}"):
        open_arrays(*given)


def test_a_file_that_is_no_array_is_named(given):
    Path(given[0]["train_labels"]).write_bytes(b"\x93NUMPY broken")
    with pytest.raises(DataError, match=r"train_labels\.npy cannot be read"):
        open_arrays(*given)
    Path(given[0]["train_labels"]).unlink()
    with pytest.raises(DataError, match=r"train_labels\.npy cannot be read"):
        open_arrays(*given)


def test_an_unknown_type_is_told(given):
    paths, manifest = given
    with pytest.raises(DataError, match="stored as int8; known: uint8, uint16, float16, float32"):
        open_arrays(paths, manifest | {"storage": STORAGE | {"dtype": "int8"}})


def test_a_changed_file_is_named(given):
    paths, manifest = given
    verify_arrays(paths, manifest)
    images = np.load(paths["validation_images"])
    images[3, 2, 1, 0] ^= 1
    np.save(paths["validation_images"], images)
    with pytest.raises(DataError, match=r"validation_images\.npy changed since it was prepared: its SHA-256 is"):
        verify_arrays(paths, manifest)
    Path(paths["train_labels"]).unlink()
    with pytest.raises(DataError, match=r"train_labels\.npy cannot be read"):
        verify_arrays(paths, manifest)


@pytest.mark.parametrize(
    ("device", "setting", "free", "held", "said"),
    [
        ("cpu", "auto", None, False, "stay mapped from disk"),
        ("cpu", "always", None, True, "held on cpu (campaign.resident: always)"),
        ("cuda", "never", None, False, "read by batch (campaign.resident: never)"),
        ("cuda", "auto", 4_000_000_000, True, "held on cuda: they take at most half of its 4.0 GB of free memory"),
        ("cuda", "auto", 3_999_999_998, False, "read ahead by batch: they would take more than half of its 4.0 GB"),
    ],
)
def test_where_the_images_lie(monkeypatch, caplog, device, setting, free, held, said):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (free, 80_000_000_000))
    assert held_on_device(2_000_000_000, torch.device(device), setting) is held
    (record,) = caplog.records
    assert record.message.startswith("The images (2.00 GB as stored) ")
    assert said in record.message
