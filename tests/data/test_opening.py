"""The reader of a configured source, and what tells that a source has changed."""

import os

import h5py
import numpy as np
import pytest
from PIL import Image

from terranas.config.inputs import ImagesConfig
from terranas.data.folder import FolderReader
from terranas.data.npz import NpzReader
from terranas.data.opening import open_source, source_key
from terranas.data.so2sat import So2SatReader

IMAGES = ImagesConfig(bands=3, classes=2, image_size=8).model_dump()


@pytest.fixture
def sources(tmp_path):
    for name, count in {"training": 85, "validation": 34, "testing": 17}.items():
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["sen1"], file["label"] = np.zeros((count, 32, 32, 8)), np.eye(17)[np.arange(count) % 17]
    np.savez(tmp_path / "x.npz", x=np.zeros((20, 8, 8, 3)), y=np.arange(20) % 2, names=np.array(["a", "b"]))
    for name in "ab":
        (tmp_path / "folder" / name).mkdir(parents=True)
        for index in range(10):
            Image.new("RGB", (8, 8)).save(tmp_path / "folder" / name / f"{index}.png")
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "path", "kind", "counts"),
    [
        ({"source": "so2sat", "sensors": "sen1", "split": "official", "seed": None}, "", So2SatReader, [85, 34, 17]),
        ({"source": "synthetic", "sensors": "sen1", "split": "official", "seed": None}, "", So2SatReader, [85, 34, 17]),
        ({"source": "so2sat", "sensors": "sen1", "split": "random", "seed": 0}, "", So2SatReader, [68, 17, 17]),
        ({"source": "npz", "images": IMAGES, "seed": 0}, "x.npz", NpzReader, [12, 4, 4]),
        ({"source": "folder", "images": IMAGES, "seed": 0}, "folder", FolderReader, [12, 4, 4]),
    ],
)
def test_each_source_has_its_reader(sources, settings, path, kind, counts):
    reader = open_source(settings, sources / path)
    assert isinstance(reader, kind)
    assert [reader.count(split) for split in ("train", "validation", "test")] == counts


def test_the_key_changes_with_files_settings_and_version(sources):
    def key(settings=None, version="1"):
        return source_key(settings or {"seed": 0}, version, [sources / "folder" / "a", sources / "x.npz"])

    first = key()
    assert key() == first
    keys = {first, key({"seed": 1}), key(version="2")}
    os.utime(sources / "folder" / "a" / "3.png", ns=(0, 0))
    keys.add(key())
    (sources / "folder" / "a" / "3.png").rename(sources / "folder" / "a" / "30.png")
    keys.add(key())
    with (sources / "x.npz").open("ab") as file:
        file.write(b"0")
    keys.add(key())
    (sources / "folder" / "a" / "lost.png").symlink_to("nowhere")
    keys.add(key())
    assert len(keys) == 7
