"""Bad input: a clear sentence, a non-zero exit code, nothing half-written."""

import h5py
import numpy as np
import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("workflow")]


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
