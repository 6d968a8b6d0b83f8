"""Bad input: a clear sentence, a non-zero exit code, nothing half-written."""

import json
import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

EUROSAT = Path(__file__).resolve().parents[2] / "config" / "eurosat.yaml"

pytestmark = pytest.mark.workflow


def refuse(place, message, *arguments, settings):
    """Run, expect the sentence and no outputs of the data stage."""
    run = place.snakemake(*arguments, settings=settings)
    assert run.code != 0, run.output
    assert message in run.output.replace("\n", " "), run.output
    assert "Traceback" not in run.output
    assert list((place.folder / "results").glob("*/data/prepared/*")) == []
    return run


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampling": {"step": 4}}, "unknown key 'sampling.step'; the nearest valid key is 'sampling.steps'"),
        ({"training": {"epochs": "many"}}, "training.epochs: must be a valid integer, got 'many'"),
        ({"training": {"epochs": 0}}, "training.epochs: must be greater than or equal to 1, got 0"),
        ({"data": {"name": "x", "source": "npz", "path": "nowhere/eurosat.npz"}}, "nowhere/eurosat.npz"),
        ({"data": {"name": "x", "source": "so2sat", "path": "nowhere"}}, "training.h5"),
    ],
)
def test_a_bad_setting_or_missing_path_is_refused_before_any_job(empty, settings, message):
    run = refuse(empty, message, "-n", settings=settings)
    assert run.rules == set()
    assert not (empty.folder / "results").exists()


NPZ = {"data": {"name": "x", "source": "npz", "path": "images.npz"}}


def write_npz(place, bands=3, classes=10):
    """Write an npz of 40 images whose file name and facts NPZ expects: 3 bands, 10 classes."""
    images, names = np.zeros((40, 32, 32, bands), np.uint8), np.array(list("abcdefghij"))
    np.savez(place.folder / "images.npz", x=images, y=np.arange(40) % classes, names=names)
    return place.folder / "images.npz"


def test_a_truncated_npz_is_refused_before_any_job(empty):
    images = write_npz(empty)
    images.write_bytes(images.read_bytes()[:5000])
    refuse(empty, "images.npz is no complete npz", "-n", settings=NPZ)
    assert not (empty.folder / "results").exists()


def test_an_npz_of_another_shape_is_refused_before_any_job(empty):
    write_npz(empty, bands=4)
    refuse(empty, "images.npz: array x has shape (40, 32, 32, 4)", "-n", settings=NPZ)
    assert not (empty.folder / "results").exists()


FOLDER = {"data": {"name": "x", "source": "folder", "path": "set", "images": {"classes": 2, "image_size": 8}}}


def write_folder(place):
    """Write a folder of images of the two classes that FOLDER expects, twice as large."""
    rng = np.random.default_rng(0)
    for name in ("field", "town"):
        (place.folder / "set" / name).mkdir(parents=True)
        for index in range(10):
            pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place.folder / "set" / name / f"{index}.png")
    return place.folder / "set"


def test_a_folder_of_images_is_prepared_and_prepared_again_when_an_image_is_added(empty):
    folder = write_folder(empty)
    dry = empty.snakemake("-n", settings=FOLDER)
    assert dry.code == 0, dry.output
    assert dry.jobs["data_prepare"] == 1
    assert dry.jobs["training_train"] > 0
    run = empty.snakemake("data", settings=FOLDER)
    assert run.code == 0, run.output
    manifest = json.loads((empty.results / "data" / "manifest.json").read_text())
    assert manifest["class_names"] == ["field", "town"]
    assert {split: facts["images"] for split, facts in manifest["splits"].items()} == {
        "train": 12,
        "validation": 4,
        "test": 4,
    }
    assert not (empty.results / "data" / "_state" / "prepare").exists()
    assert empty.snakemake("-n", "data", settings=FOLDER).rules == set()
    Image.new("RGB", (16, 16)).save(folder / "town" / "more.png")
    assert empty.snakemake("-n", "data", settings=FOLDER).rules == {"data_prepare"}


def test_the_commands_of_the_eurosat_study_find_its_images(empty):
    """Both commands as config/eurosat.yaml prints them, on images of EuroSAT's size."""
    commands = re.findall(r"^# +snakemake (.*)$", EUROSAT.read_text(), re.MULTILINE)
    assert len(commands) == 2
    classes = [f"class {index}" for index in range(10)]
    for name in classes:
        (empty.folder / "EuroSAT_RGB" / name).mkdir(parents=True)
        for index in range(10):
            Image.new("RGB", (64, 64), (index, 0, 0)).save(empty.folder / "EuroSAT_RGB" / name / f"{index}.jpg")
    images = np.zeros((100, 32, 32, 3), np.uint8)
    np.savez(empty.folder / "eurosat_rgb_32x32.npz", x=images, y=np.arange(100) % 10, names=np.array(classes))
    for command in commands:
        arguments = shlex.split(command.replace("PATH/TO/", ""))
        assert arguments[:2] == ["--configfile", "config/eurosat.yaml"]
        run = empty.snakemake("data", *arguments[2:], configfile=EUROSAT)
        assert run.code == 0, run.output
        manifest = json.loads((empty.folder / "results" / "eurosat" / "data" / "manifest.json").read_text())
        assert {split: facts["images"] for split, facts in manifest["splits"].items()} == {
            "train": 20,
            "validation": 10,
            "test": 20,
        }
    assert empty.snakemake("-n", *arguments[2:], configfile=EUROSAT).jobs["training_train"] == 91


def test_a_folder_with_an_empty_class_is_refused_before_any_job(empty):
    (write_folder(empty) / "water").mkdir()
    settings = {"data": FOLDER["data"] | {"images": {"classes": 3, "image_size": 8}}}
    refuse(empty, "water has no images", "-n", settings=settings)
    assert not (empty.folder / "results").exists()


def test_a_corrupt_image_ends_the_preparation_by_name(empty):
    image = write_folder(empty) / "town" / "7.png"
    image.write_bytes(image.read_bytes()[:100])
    refuse(empty, "7.png cannot be read as an image", "data", settings=FOLDER)


READER = """
import numpy as np

class Reader:
    bands, image_size, class_names, dtype = 2, 8, ("a", "b"), np.dtype(np.uint16)

    def count(self, split):
        return 10

    def blocks(self, split, start):
        yield np.full((10, 8, 8, 2), 300, np.uint16)[start:], (np.arange(10) % 2)[start:]

def open_reader(path, images, seed):
    return Reader()
"""


def test_images_of_an_own_reader_are_prepared_again_when_it_changes(empty):
    reader = empty.folder / "reader.py"
    reader.write_text(READER)
    images = {"bands": 2, "classes": 2, "image_size": 8}
    (empty.folder / "raw").mkdir()
    settings = {"data": {"name": "x", "source": "own", "path": "raw", "reader": "reader.py", "images": images}}
    run = empty.snakemake("data", settings=settings)
    assert run.code == 0, run.output
    pixels = np.load(empty.results / "data" / "prepared" / "train_images.npy")
    assert (pixels.dtype, pixels.shape) == (np.uint16, (10, 8, 8, 2))
    reader.write_text(READER.replace("300", "400"))
    assert empty.snakemake("-n", "data", settings=settings).rules == {"data_prepare"}
    reader.write_text(READER.replace("open_reader", "open_image"))
    again = empty.snakemake("-n", settings=settings)
    assert again.code != 0
    assert "has no function open_reader" in again.output


def test_labels_out_of_range_end_the_preparation_with_nothing_written(empty):
    write_npz(empty, classes=11)
    refuse(empty, "label", "data", settings=NPZ)


@pytest.mark.parametrize("harm", ["truncated", "shape", "labels"])
def test_harmed_hdf5_files_end_the_preparation_with_nothing_written(empty, harm):
    folder = empty.folder / "so2sat"
    folder.mkdir()
    for name in ("training", "validation", "testing"):
        with h5py.File(folder / f"{name}.h5", "w") as file:
            bands = 9 if (harm, name) == ("shape", "validation") else 10
            file["sen1"] = np.zeros((34, 32, 32, 8))
            file["sen2"] = np.random.default_rng(0).normal(size=(34, 32, 32, bands))
            labels = np.eye(17)[np.arange(34) % 17]
            if (harm, name) == ("labels", "testing"):
                labels[3] = 0.5
            file["label"] = labels
    if harm == "truncated":
        path = folder / "testing.h5"
        path.write_bytes(path.read_bytes()[:20000])
    where = {"truncated": "testing.h5", "shape": "validation.h5", "labels": "testing.h5"}[harm]
    refuse(empty, where, "data", settings={"data": {"name": "x", "source": "so2sat", "path": "so2sat"}})


def test_results_of_an_older_layout_are_refused(finished, tmp_path):
    place = finished.copy(tmp_path)
    listed = place.results / "sampling" / "architectures.csv"
    listed.write_text(listed.read_text().replace("layout: 1", "layout: 0"))
    run = place.snakemake("-n")
    assert run.code != 0
    assert "layout" in run.output
    assert "results_dir" in run.output


def test_walks_that_cannot_be_that_long_say_what_to_change(empty):
    run = empty.snakemake("sampling", settings={"sampling": {"neighbourhood": "hamming", "unique": "walk", "steps": 3}})
    assert run.code != 0
    assert "steps" in run.output
    assert not (empty.results / "sampling" / "walks.parquet").exists()
