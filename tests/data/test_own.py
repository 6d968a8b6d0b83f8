"""Readers that users write: the example of the documentation, and readers that break the protocol."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from terranas.config import load_config
from terranas.config.inputs import DataConfig, ImagesConfig
from terranas.core.errors import DataError
from terranas.data.opening import open_source
from terranas.data.own import OwnReader
from terranas.data.precheck import check_source, expected_images, source_files
from terranas.data.prepare import prepare
from terranas.data.reader import check_facts

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text()
LAYOUT = ImagesConfig(bands=2, classes=2, image_size=8)
SPLITS = ("train", "validation", "test")


def blocks_of_the_page(language):
    section = PAGE[PAGE.index("## Your own layout") :]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def test_the_example_of_the_page_prepares_images(tmp_path, monkeypatch):
    """The reader and the settings exactly as they are printed."""
    monkeypatch.chdir(tmp_path)
    (code,), (settings,) = blocks_of_the_page("python"), blocks_of_the_page("yaml")
    assert len(code.splitlines()) < 35
    Path("my_reader.py").write_text(code)
    rng, content = np.random.default_rng(0), {}
    Path("PATH/TO/FOLDER").mkdir(parents=True)
    for name, count in {"beech": 30, "oak": 20, "pine": 10}.items():
        content[name] = rng.integers(0, 4000, size=(count, 32, 32, 4), dtype=np.uint16)
        np.save(f"PATH/TO/FOLDER/{name}.npy", content[name])
    study = load_config(yaml.safe_load(settings))
    data = study.data
    check_source(data)
    assert expected_images(data) is None
    assert source_files(data) == ["PATH/TO/FOLDER"]
    reader = open_source(data.model_dump() | {"seed": 3}, data.path)
    check_facts(reader, data.bands, data.classes, data.image_size)
    outputs = {f"{s}_{p}": tmp_path / f"{s}_{p}.npy" for s in SPLITS for p in ("images", "labels")}
    manifest = prepare(reader, outputs, tmp_path / "state").manifest("own")
    assert {split: facts["images"] for split, facts in manifest["splits"].items()} == {
        "train": 36,
        "validation": 12,
        "test": 12,
    }
    assert (manifest["class_names"], manifest["storage"]["dtype"]) == (["beech", "oak", "pine"], "uint16")
    seen = []
    for split in SPLITS:
        for image, label in zip(np.load(outputs[f"{split}_images"]), np.load(outputs[f"{split}_labels"]), strict=True):
            (place,) = np.flatnonzero((content[manifest["class_names"][label]] == image).all(axis=(1, 2, 3)))
            seen.append((label, place))
    assert len(set(seen)) == 60


GOOD = """
import numpy as np
class R:
    bands, image_size, class_names, dtype = 2, 8, ("a", "b"), np.uint8
    def count(self, split):
        return 10
    def blocks(self, split, start=0):
        yield np.zeros((10 - start, 8, 8, 2), np.uint8), np.arange(start, 10) % 2
def open_reader(path, images, seed):
    return R()
"""


def read(tmp_path, text):
    (tmp_path / "reader.py").write_text(text)
    reader = OwnReader(tmp_path / "reader.py", tmp_path, LAYOUT, 0)
    outputs = {f"{s}_{p}": tmp_path / f"{s}_{p}.npy" for s in SPLITS for p in ("images", "labels")}
    return prepare(reader, outputs, tmp_path / "state")


def test_the_smallest_reader_is_enough(tmp_path):
    assert read(tmp_path, GOOD).class_table("own")["count"].tolist() == [5, 5] * 3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "(10 - start, 8, 8, 2)",
            "(10 - start, 2, 8, 8)",
            r"gave images of shape \(10, 2, 8, 8\) and type uint8; expected",
        ),
        ("2), np.uint8)", "2))", "and type float64; expected .* and uint8"),
        ("np.arange(start, 10) % 2", "np.zeros((10, 2))", r"gave labels of shape \(10, 2\) .* expected 10 integers"),
        ("np.arange(start, 10) % 2", "np.arange(start, 10)", "label 2 of image 2 is out of range; expected 0 to 1"),
        ("yield np.zeros", "yield 3; np.zeros", "gave a int; expected a tuple of images and labels"),
        ("(10 - start,", "(12 - start,", "gave labels of shape"),
        ("return 10", "return 7", r"gave more images than count, 7"),
        ("return 10", "return 11", "10 images came, 11 were announced"),
        ("return 10", "return 1.5", r"count\('train'\) gave 1.5; expected a whole number"),
        ("2, 8, (", "0, 8, (", "its attribute bands is 0; expected a whole number above 0"),
        ("np.uint8\n", "complex\n", "its dtype is complex128; expected integers or floats"),
        ("dtype = 2", "kind = 2", r"AttributeError: .* 'dtype', when its attributes were read"),
        ("def open_reader", "def open", "it has no function open_reader"),
        (
            "return R()",
            "return 1 / 0",
            r"reader\.py, line 10: ZeroDivisionError: division by zero, when open_reader was",
        ),
        (
            "yield np",
            "raise OSError('disk on fire'); yield np",
            r"line 8: OSError: disk on fire, when blocks\('train', 0\)",
        ),
        ("import numpy as np", "import nothing_of_that_name", "line 2: ModuleNotFoundError: No module named"),
        ("class R:", "class R", "SyntaxError"),
    ],
)
def test_what_breaks_the_protocol_is_told_as_the_readers_error(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert "reader.py" in str(caught.value)
    assert not (tmp_path / "train_images.npy").exists()


def data_of(tmp_path, text):
    (tmp_path / "reader.py").write_text(text)
    return DataConfig(name="x", source="own", path=str(tmp_path), reader=str(tmp_path / "reader.py"), images=LAYOUT)


def test_the_file_is_looked_at_before_any_job(tmp_path):
    check_source(data_of(tmp_path, "raise SystemExit  # must not run\ndef open_reader(path, images, seed): ..."))
    check_source(data_of(tmp_path, "from elsewhere import make as open_reader"))
    with pytest.raises(DataError, match=r"has no function open_reader\(path, images, seed\); it has open"):
        check_source(data_of(tmp_path, "def open(): ..."))
    with pytest.raises(DataError, match="is no valid Python"):
        check_source(data_of(tmp_path, "def open_reader(:"))
    good = data_of(tmp_path, GOOD)
    with pytest.raises(DataError, match="there is no such file or folder"):
        check_source(good.model_copy(update={"path": "nowhere"}))
    with pytest.raises(DataError, match="there is no such Python file"):
        check_source(good.model_copy(update={"reader": "nowhere.py"}))
