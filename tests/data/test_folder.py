"""Folders of images a class: real JPEG files, GeoTIFF files in the layouts found in the wild, and faults."""

import os
import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image

from terranas.config.inputs import DataConfig, ImagesConfig
from terranas.core.errors import DataError
from terranas.core.randomness import generator
from terranas.data.folder import FolderReader
from terranas.data.image_file import box_average, read_facts
from terranas.data.precheck import check_source, expected_images, source_files
from terranas.data.prepare import prepare
from terranas.data.splits import stratified_splits

from .reading import everything

LAYOUT = ImagesConfig(bands=3, classes=2, image_size=8, train=0.5, validation=0.25, test=0.25)
SPLITS = ("train", "validation", "test")


def write_folder(root, count=8, size=8, suffix="png", classes=("a", "b")):
    """Write images whose pixels are known; return them by class."""
    rng = np.random.default_rng(0)
    content = {}
    for name in classes:
        (root / name).mkdir(parents=True)
        content[name] = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
        for index, image in enumerate(content[name]):
            Image.fromarray(image).save(root / name / f"{index:02}.{suffix}")
    return content


def data_of(path, images=LAYOUT):
    return DataConfig(name="x", source="folder", path=str(path), images=images)


@pytest.mark.parametrize("suffix", ["png", "PNG", "tif", "tiff"])
def test_content_and_order(tmp_path, suffix):
    content = write_folder(tmp_path / "set", suffix=suffix)
    (tmp_path / "set" / "notes.txt").write_text("not a class")
    (tmp_path / "set" / "a" / "notes.txt").write_text("not an image")
    (tmp_path / "set" / ".cache").mkdir()
    data = data_of(tmp_path / "set")
    check_source(data)
    source = FolderReader(tmp_path / "set", LAYOUT, seed=2, rows=3)
    images, labels = np.concatenate(list(content.values())), np.repeat([0, 1], 8)
    splits = stratified_splits(labels, {"train": 0.5, "validation": 0.25, "test": 0.25}, generator(2, "data.split"))
    for split in SPLITS:
        for start in (0, 2):
            got, got_labels = everything(source, split, start)
            np.testing.assert_array_equal(got, images[splits[split][start:]])
            np.testing.assert_array_equal(got_labels, labels[splits[split][start:]])
        assert source.count(split) == len(splits[split])
    assert source.class_names == ("a", "b")
    assert source.dtype == np.uint8
    assert expected_images(data) == {split: source.count(split) for split in SPLITS}
    assert source_files(data) == [str(tmp_path / "set" / name) for name in "ab"]


def test_eurosat_as_published(shared_data, tmp_path):
    """2,000 real JPEG files, prepared as they are, against Pillow's own averages of each file."""
    root = shared_data / "eurosat" / "2750"
    images = ImagesConfig(bands=3, classes=10, image_size=32, train=0.5, validation=0.2, test=0.3)
    data = data_of(root, images)
    check_source(data)
    assert expected_images(data) == {"train": 1000, "validation": 400, "test": 600}
    source = FolderReader(root, images, seed=0)
    outputs = {f"{s}_{p}": tmp_path / f"{s}_{p}.npy" for s in SPLITS for p in ("images", "labels")}
    prepared = prepare(source, outputs, tmp_path / "state")
    assert prepared.storage.dtype == np.uint8
    for split in SPLITS:
        pixels, labels = np.load(outputs[f"{split}_images"]), np.load(outputs[f"{split}_labels"])
        for index in range(0, len(labels), 37):
            file = source.where(split, index)
            assert source.class_names[labels[index]] in file
            with Image.open(file) as image:
                np.testing.assert_array_equal(pixels[index], np.asarray(image.reduce(2)))
    full = FolderReader(root, images.model_copy(update={"image_size": 64}), seed=0)
    first = next(full.blocks("train"))[0][0]
    with Image.open(full.where("train", 0)) as image:
        np.testing.assert_array_equal(first, np.asarray(image))


LAYOUTS = {
    "bands last": {"photometric": "minisblack", "planarconfig": "contig"},
    "bands first": {"photometric": "minisblack", "planarconfig": "separate"},
    "a page a band": {"photometric": "minisblack"},
    "deflate": {"photometric": "minisblack", "planarconfig": "contig", "compression": "zlib", "predictor": 2},
    "tiles": {"photometric": "minisblack", "planarconfig": "contig", "tile": (16, 16)},
    "big-endian": {"photometric": "minisblack", "planarconfig": "contig", "byteorder": ">"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_geotiff_bands_come_back_exactly(shared_data, tmp_path, layout):
    """Real pixels of 13 Sentinel-2 bands, written in every layout that tools write."""
    with np.load(shared_data / "eurosat" / "eurosat_ms_200.npz", allow_pickle=False) as arrays:
        x, y, names = arrays["x"], arrays["y"], arrays["names"]
    options = dict(LAYOUTS[layout])
    byteorder = options.pop("byteorder", "<")
    order = np.argsort(y, kind="stable")
    for index in order:
        folder = tmp_path / "set" / names[y[index]]
        folder.mkdir(parents=True, exist_ok=True)
        image = x[index] if options.get("planarconfig") == "contig" else np.moveaxis(x[index], 2, 0)
        tifffile.imwrite(folder / f"{index:03}.tif", image, byteorder=byteorder, **options)
    images = ImagesConfig(bands=13, classes=10, image_size=64, train=0.5, validation=0.25, test=0.25)
    check_source(data_of(tmp_path / "set", images))
    source = FolderReader(tmp_path / "set", images, seed=0)
    outputs = {f"{s}_{p}": tmp_path / f"{s}_{p}.npy" for s in SPLITS for p in ("images", "labels")}
    prepared = prepare(source, outputs, tmp_path / "state")
    manifest = prepared.manifest("folder")
    assert manifest["class_names"] == names.tolist()
    assert manifest["storage"]["dtype"] == "uint16"
    assert manifest["storage"]["largest_error"] == [0.0] * 13
    for split in SPLITS:
        pixels = np.load(outputs[f"{split}_images"])
        for index in range(len(pixels)):
            truth = int(source.where(split, index)[-7:-4])
            np.testing.assert_array_equal(pixels[index], x[truth])


def test_one_band_and_floats(tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        (tmp_path / name).mkdir()
        for index in range(8):
            tifffile.imwrite(tmp_path / name / f"{index}.tif", rng.normal(size=(16, 16)).astype(np.float32))
    settings = LAYOUT.model_copy(update={"bands": 1})
    source = FolderReader(tmp_path, settings, seed=0)
    images, _ = everything(source)
    assert (images.shape, images.dtype) == ((8, 8, 8, 1), np.float32)
    truth = tifffile.imread(source.where("train", 3)).astype(float).reshape(8, 2, 8, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(images[3, ..., 0], truth, rtol=1e-6)


def test_sixteen_bit_png(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 65536, (8, 8), dtype=np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    facts = read_facts(tmp_path / "a.png", 1)
    assert facts == (8, 8, 1, np.uint16)


def test_sixteen_bit_colours_are_refused_where_half_would_be_lost(tmp_path):
    (tmp_path / "a.png").write_bytes(png_claiming(8, 8, bits=16))
    with pytest.raises(
        DataError, match=r"a\.png has 16 bits a band, of which Pillow reads 8; save such images as TIFF"
    ):
        read_facts(tmp_path / "a.png", 3)


def test_pages_of_different_sizes_are_refused(tmp_path):
    write_folder(tmp_path, suffix="tif")
    with tifffile.TiffWriter(tmp_path / "b" / "05.tif") as file:
        for size in (8, 8, 9):
            file.write(np.zeros((size, size), np.uint8), photometric="minisblack")
    source = FolderReader(tmp_path, LAYOUT, seed=0)
    with pytest.raises(DataError, match=r"05\.tif has pages of different sizes"):
        [everything(source, split) for split in SPLITS]


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_box_average_rounds_halves_up(factor):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    boxes = pixels.reshape(24 // factor, factor, 24 // factor, factor, 3).astype(float)
    expected = np.floor(boxes.mean(axis=(1, 3)) + 0.5)
    np.testing.assert_array_equal(box_average(pixels, factor), expected)
    assert box_average(pixels, factor).dtype == np.uint8


def spoil(root, harm):
    """Harm the folder; return what the message must name."""
    victim = root / "b" / "05.png"
    if harm == "truncated":
        victim.write_bytes(victim.read_bytes()[:-60])
    elif harm == "empty file":
        victim.write_bytes(b"")
    elif harm == "text":
        victim.write_text("<html>not found</html>")
    elif harm == "bands":
        Image.new("L", (8, 8)).save(victim)
    elif harm == "size":
        Image.new("RGB", (16, 8)).save(victim)
    elif harm == "mode":
        Image.new("P", (8, 8)).save(victim)
    elif harm == "type":
        victim.unlink()
        victim = victim.with_suffix(".tif")
        tifffile.imwrite(victim, np.zeros((8, 8, 3), np.uint16), photometric="rgb")
    elif harm == "tiff":
        victim.unlink()
        victim = victim.with_suffix(".tif")
        victim.write_bytes(b"II*\0" + bytes(range(100)))
    return victim.name


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        ("truncated", "cannot be read as an image .*truncated"),
        ("empty file", "cannot be read as an image"),
        ("text", "cannot be read as an image .*cannot identify"),
        ("bands", "has 1 bands; expected 3"),
        ("size", "is 16 pixels wide; expected 8"),
        ("mode", "has the colour mode P; expected L, I;16, RGB, RGBA"),
        ("type", "has pixels of type uint16; the first image has uint8"),
        ("tiff", "cannot be read as an image"),
    ],
)
def test_a_bad_image_is_named_with_its_reason(tmp_path, harm, message):
    write_folder(tmp_path)
    name = spoil(tmp_path, harm)
    source = FolderReader(tmp_path, LAYOUT, seed=0)
    with pytest.raises(DataError, match=message) as caught:
        [everything(source, split) for split in SPLITS]
    assert f"{os.sep}b{os.sep}{name}" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bands": 4}, r"00\.png has 3 bands; expected 4 by data.images.bands"),
        ({"image_size": 9}, r"00\.png is 16 pixels high and 16 wide; expected .* multiple of data.images.image_size 9"),
        ({"image_size": 32}, "expected a square with a whole multiple of data.images.image_size 32"),
        ({"classes": 3}, r"has 2 folders \(a, b\); expected one for each of the 3 classes"),
    ],
)
def test_a_folder_of_another_shape_is_refused_before_any_job(tmp_path, settings, message):
    write_folder(tmp_path, size=16)
    images = LAYOUT.model_copy(update=settings)
    with pytest.raises(DataError, match=message):
        check_source(data_of(tmp_path, images))
    with pytest.raises(DataError, match=message):
        FolderReader(tmp_path, images, seed=0)


def test_an_empty_class_is_named(tmp_path):
    write_folder(tmp_path)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "notes.txt").write_text("")
    with pytest.raises(DataError, match=r"c has no images; expected files that end in \.jpg") as caught:
        check_source(data_of(tmp_path, LAYOUT.model_copy(update={"classes": 3})))
    assert "EuroSAT" in str(caught.value)


@pytest.mark.parametrize(("place", "words"), [("nowhere", "does not exist"), ("file", "is a file, not a folder")])
def test_a_missing_folder_says_where_eurosat_is(tmp_path, place, words):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=rf"{words}.*EuroSAT.*zenodo"):
        check_source(data_of(tmp_path / place))


def test_links_may_not_lead_out(tmp_path):
    write_folder(tmp_path / "set")
    write_folder(tmp_path / "other", classes=("c",))
    (tmp_path / "set" / "a" / "zz.png").symlink_to(tmp_path / "set" / "a" / "00.png")
    check_source(data_of(tmp_path / "set"))
    (tmp_path / "set" / "b" / "zz.png").symlink_to(tmp_path / "other" / "c" / "00.png")
    with pytest.raises(DataError, match=r"zz\.png is a link that leads out of"):
        FolderReader(tmp_path / "set", LAYOUT, seed=0)
    (tmp_path / "set" / "b" / "zz.png").unlink()
    (tmp_path / "set" / "c").symlink_to(tmp_path / "other" / "c")
    with pytest.raises(DataError, match="c is a link that leads out of"):
        check_source(data_of(tmp_path / "set", LAYOUT.model_copy(update={"classes": 3})))


def png_claiming(width, height, bits=8):
    """Return a PNG file whose header claims a size that its few bytes never hold."""
    import struct
    import zlib

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_huge_images_are_refused_before_they_are_decoded(tmp_path, side):
    write_folder(tmp_path)
    (tmp_path / "a" / "00.png").write_bytes(png_claiming(side, side))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=r"00\.png cannot be read as an image .*decompression bomb"):
            check_source(data_of(tmp_path))


def test_a_huge_tiff_is_refused_before_it_is_decoded(tmp_path):
    write_folder(tmp_path, suffix="tif")
    tifffile.imwrite(tmp_path / "a" / "00.tif", np.zeros((16, 16), np.uint8))
    content = (tmp_path / "a" / "00.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a" / "00.tif") as file:
        places = [file.pages.first.tags[name].valueoffset for name in ("ImageWidth", "ImageLength")]
    changed = bytearray(content)
    for place in places:
        changed[place : place + 2] = (60_000).to_bytes(2, "little")
    (tmp_path / "a" / "00.tif").write_bytes(changed)
    with pytest.raises(DataError, match=r"00\.tif is far too large: its header says \(60000, 60000\)"):
        check_source(data_of(tmp_path, LAYOUT.model_copy(update={"bands": 1})))
