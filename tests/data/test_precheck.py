import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from terranas.config.inputs import DataConfig, ImagesConfig
from terranas.core.errors import DataError
from terranas.data.precheck import check_source, expected_images, source_files


def npz(path, **arrays):
    content = {
        "x": np.zeros((6, 8, 8, 2), np.uint8),
        "y": np.arange(6) % 3,
        "names": np.array(["a", "b", "c"]),
    } | arrays
    np.savez_compressed(path, **{name: value for name, value in content.items() if value is not None})
    return DataConfig(name="x", source="npz", path=str(path), images=ImagesConfig(bands=2, classes=3, image_size=8))


def so2sat(folder, libver="earliest"):
    for name in ("training.h5", "validation.h5", "testing.h5"):
        with h5py.File(folder / name, "w", libver=libver) as file:
            file["sen2"] = np.zeros((20, 32, 32, 10))
            file["label"] = np.eye(17)[np.arange(20) % 17]
    return DataConfig(name="x", source="so2sat", path=str(folder))


def test_good_sources_pass(tmp_path):
    data = npz(tmp_path / "images.npz")
    check_source(data)
    assert source_files(data) == [str(tmp_path / "images.npz")]
    check_source(so2sat(tmp_path))
    check_source(DataConfig())
    assert source_files(DataConfig()) == []
    assert [Path(file).name for file in source_files(so2sat(tmp_path))] == [
        "training.h5",
        "validation.h5",
        "testing.h5",
    ]


@pytest.mark.parametrize("source", ["npz", "so2sat"])
def test_missing_path_says_what_and_where(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        check_source(DataConfig(name="x", source=source, path="nowhere/images"))
    message = str(caught.value)
    assert "data.path is 'nowhere/images'" in message
    assert str(tmp_path / "nowhere" / "images") in message
    assert {"npz": "savez", "so2sat": "mediaTUM"}[source] in message


def test_folder_without_files_names_them(tmp_path):
    so2sat(tmp_path)
    (tmp_path / "validation.h5").unlink()
    with pytest.raises(DataError, match=r"lacks validation\.h5"):
        check_source(DataConfig(name="x", source="so2sat", path=str(tmp_path)))


@pytest.mark.parametrize("kept", [0.5, 0.999])
def test_truncated_npz(tmp_path, kept):
    data = npz(tmp_path / "images.npz", x=np.random.default_rng(0).integers(0, 255, (6, 8, 8, 2), np.uint8))
    content = Path(data.path).read_bytes()
    Path(data.path).write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match=r"truncated"):
        check_source(data)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_truncated_hdf5(tmp_path, libver):
    data = so2sat(tmp_path, libver)
    check_source(data)
    path = tmp_path / "testing.h5"
    path.write_bytes(path.read_bytes()[:-10_000])
    with pytest.raises(DataError, match=r"testing.h5 is truncated: it has [\d,]+ bytes of [\d,]+"):
        check_source(data)
    path.write_bytes(b"no hdf5 file at all")
    with pytest.raises(DataError, match=r"testing.h5 is no HDF5 file"):
        check_source(data)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": None}, "lacks the array y; it has x, names"),
        ({"x": np.zeros((6, 8, 8, 3), np.uint8)}, r"array x has shape \(6, 8, 8, 3\); expected \(N, 8, 8, 2\)"),
        ({"x": np.zeros((6, 8, 8, 2), bool)}, "array x has type bool"),
        ({"y": np.zeros(5, int)}, r"array y has shape \(5,\)"),
        ({"y": np.zeros(6)}, "array y .* type float64; .* integers"),
        ({"names": np.array(["a", "b"])}, r"array names has shape \(2,\) .* data.images.classes 3"),
        ({"names": np.array(["a", None, {}], dtype=object)}, "array names .* type object"),
    ],
)
def test_wrong_arrays_are_named(tmp_path, arrays, message):
    with pytest.raises(DataError, match=message):
        check_source(npz(tmp_path / "images.npz", **arrays))


def test_nothing_heavy_is_imported():
    code = "import sys, terranas.data.precheck; print(*{'torch', 'pandas', 'h5py', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_random_split_needs_no_validation_file(tmp_path):
    data = so2sat(tmp_path)
    (tmp_path / "validation.h5").unlink()
    with pytest.raises(DataError, match=r"lacks validation\.h5"):
        check_source(data)
    data = data.model_copy(update={"split": "random"})
    check_source(data)
    assert [Path(file).name for file in source_files(data)] == ["training.h5", "testing.h5"]


def test_expected_images(tmp_path):
    assert expected_images(DataConfig()) == {"train": 640, "validation": 320, "test": 320}
    sizes = {"training": 40, "validation": 20, "testing": 10}
    for name, count in sizes.items():
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["sen1"], file["sen2"] = np.zeros((count, 32, 32, 8)), np.zeros((count, 32, 32, 10))
            file["label"] = np.eye(17)[np.arange(count) % 17]
    data = DataConfig(name="x", source="so2sat", path=str(tmp_path))
    assert expected_images(data) == {"train": 40, "validation": 20, "test": 10}
    random = data.model_copy(update={"split": "random"})
    assert expected_images(random) == {"train": 32, "validation": 8, "test": 10}
    assert expected_images(npz(tmp_path / "images.npz")) == {"train": 4, "validation": 1, "test": 1}


def test_eurosat_headers(shared_data):
    path = str(shared_data / "eurosat" / "eurosat_rgb_32x32.npz")
    check_source(DataConfig(name="EuroSAT", source="npz", path=path))
    with pytest.raises(DataError, match=r"has shape \(27000, 32, 32, 3\); expected \(N, 64, 64, 3\)"):
        check_source(DataConfig(name="EuroSAT", source="npz", path=path, images=ImagesConfig(image_size=64)))
