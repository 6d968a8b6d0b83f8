"""Checks of the study's images that are quick enough for every parse of the workflow: they stand before any job.

Only headers are read, and nothing heavy is imported. The readers check the content itself later.
"""

from pathlib import Path

import numpy as np

from terranas.config.inputs import DataConfig
from terranas.core.errors import DataError
from terranas.core.own_code import OwnCode
from terranas.data.folder_layout import class_folders, image_files
from terranas.data.image_file import check_first, read_facts
from terranas.data.layout import RANDOM_SHARES, SO2SAT_FILES, SO2SAT_IMAGE_BYTES, SPLITS
from terranas.data.npz_header import check_npz_layout, npz_headers
from terranas.data.splits import split_sizes

WHERE_SO2SAT = (
    "So2Sat LCZ42 (Sentinel-1 and Sentinel-2 patches of 52 cities, 59 GB): put training.h5, validation.h5 and "
    "testing.h5 of 'So2Sat LCZ42 v2', from the TUM data repository mediaTUM (https://mediatum.ub.tum.de/1483140), "
    "into one folder and set data.path to it; `snakemake download` fetches them."
)
WHERE_NPZ = (
    "Make a file with numpy.savez_compressed that holds the arrays x (N, H, W, bands), y (N) integer, names (classes) "
    "text, and set data.path to it."
)
WHERE_FOLDER = (
    "For EuroSAT (27,000 Sentinel-2 images of 10 land-cover classes) get EuroSAT_RGB.zip or EuroSAT_MS.zip from "
    "https://zenodo.org/records/7711810, unpack it, and set data.path to the folder that holds the classes' folders."
)
PREPARATION_MB = 1000
"""Memory of the preparation: blocks of any source pass through it, and Snakemake stands beside it."""

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def source_path(data: DataConfig) -> Path:
    """Return ``data.path``, a leading ``~`` expanded; relative paths count from the working directory."""
    return Path(data.path or "").expanduser()


def source_files(data: DataConfig) -> list[str]:
    """Return what the study reads its images from: files, or the folders of the classes; none for generated images.

    A folder counts as changed when a file in it is added, removed or renamed.
    """
    if data.source == "synthetic":
        return []
    path = source_path(data)
    if data.source == "so2sat":
        return [str(path / name) for name in _so2sat_names(data)]
    if data.source == "folder":
        return [str(folder) for folder in class_folders(path)]
    return [str(path)]


def check_source(data: DataConfig) -> None:
    """Check that the images exist, are complete as far as their headers tell, and have the configured shape.

    Raises:
        DataError: says what was looked for, what was found and where to get it.
    """
    checks = {"so2sat": _check_so2sat, "npz": _check_npz, "folder": _check_folder, "own": _check_own}
    if data.source != "synthetic":
        checks[data.source](data)


def reader_code(file: str | Path) -> OwnCode:
    """Return the user's file behind ``data.reader``."""
    return OwnCode("data.reader", Path(file), "open_reader(path, images, seed)", "docs/data.md", "reader", DataError)


def expected_images(data: DataConfig) -> dict[str, int] | None:
    """Return how many images a split will have, as far as headers, names and file sizes tell; None for own readers.

    Exact for generated images and folders, to some images for npz files, and for So2Sat where its files are not
    compressed (the published ones are not). Images may be dropped later (``data.not_finite``).
    The paths of the images must have been checked before.
    """
    shares = data.images.shares
    if data.source == "synthetic":
        sizes = {split: getattr(data.synthetic, split) for split in SPLITS}
    elif data.source == "so2sat":
        files = {name: (source_path(data) / name).stat().st_size for name in _so2sat_names(data)}
        sizes = {split: files.get(name, 0) // SO2SAT_IMAGE_BYTES for split, name in SO2SAT_FILES.items()}
    elif data.source == "npz":
        images = npz_headers(source_path(data))["x"].shape[0]
        return {split: round(images * share) for split, share in shares.items()}
    elif data.source == "folder":
        root = source_path(data)
        return split_sizes([len(image_files(folder, root)) for folder in class_folders(root)], shares)
    else:
        return None
    if data.split == "random":
        sizes |= {split: round(sizes["train"] * share) for split, share in RANDOM_SHARES.items()}
    return sizes


def arrays_on_disk(data: DataConfig) -> int:
    """Return roughly how many bytes the prepared images take, and the generated ones where they are.

    The paths of the images must have been checked before.
    """
    sizes = expected_images(data)
    if sizes is None:  # of an own reader only the size of its files is known
        return _size_below(source_path(data))
    values = sum(sizes.values()) * data.bands * data.image_size**2
    generated = sum(sizes.values()) * SO2SAT_IMAGE_BYTES if data.source == "synthetic" else 0
    return values * bytes_a_value(data) + generated


def bytes_a_value(data: DataConfig) -> int:
    """Return the bytes of a stored value of the prepared images; with ``data.storage: auto`` what is likely."""
    if data.storage != "auto":
        return np.dtype(data.storage).itemsize
    if data.source == "npz":
        dtype = npz_headers(source_path(data))["x"].dtype
        return dtype.itemsize if dtype.name in ("uint8", "uint16", "float16") else 4
    if data.source == "folder":
        folder = class_folders(source_path(data))[0]
        return read_facts(image_files(folder, source_path(data))[0], data.images.bands).dtype.itemsize
    return 2


def _size_below(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _so2sat_names(data: DataConfig) -> list[str]:
    """Return the files that the splits come from."""
    return [name for split, name in SO2SAT_FILES.items() if data.split == "official" or split != "validation"]


def _check_folder(data: DataConfig) -> None:
    try:
        root = source_path(data)
        folders = class_folders(root, data.images.classes)
        files = [image_files(folder, root) for folder in folders]
    except DataError as error:
        raise DataError(f"data.path is '{data.path}', but {error} {WHERE_FOLDER}") from error
    check_first(files[0][0], read_facts(files[0][0], data.images.bands), data.images.bands, data.images.image_size)


def _check_own(data: DataConfig) -> None:
    if not source_path(data).exists():
        raise DataError(
            f"data.path is '{data.path}', but there is no such file or folder. Looked for "
            f"{source_path(data).absolute()}."
        )
    reader_code(data.reader or "").check()


def _check_so2sat(data: DataConfig) -> None:
    folder = source_path(data)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise DataError(f"data.path is '{data.path}', but the folder {folder.absolute()} {what}. {WHERE_SO2SAT}")
    missing = [name for name in _so2sat_names(data) if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"data.path is '{data.path}', but the folder {folder.absolute()} lacks {', '.join(missing)}. {WHERE_SO2SAT}"
        )
    for file in source_files(data):
        _check_hdf5_size(Path(file))


def _check_npz(data: DataConfig) -> None:
    path = source_path(data)
    if not path.is_file():
        problem = "that is a folder" if path.is_dir() else "there is no such file"
        raise DataError(f"data.path is '{data.path}', but {problem}. Looked for {path.absolute()}. {WHERE_NPZ}")
    check_npz_layout(path, npz_headers(path), data.images)


def _check_hdf5_size(path: Path) -> None:
    """Compare a file's size with the end of file that its HDF5 superblock states (HDF5 format, section II.A)."""
    with path.open("rb") as file:
        head = file.read(48)
    if head[:8] != HDF5_SIGNATURE:
        raise DataError(f"{path} is no HDF5 file (it starts with other bytes). Copy or download it again.")
    # versions 0 and 1 keep the address after group parameters, 2 and 3 right after the header
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(head[8], 0) if len(head) == 48 else 0
    offset_size = head[13] if head[8:9] in (b"\0", b"\1") else head[9]
    if place and offset_size == 8:
        with path.open("rb") as file:
            file.seek(place)
            stated = int.from_bytes(file.read(8), "little")
        if path.stat().st_size < stated:
            raise DataError(
                f"{path} is truncated: it has {path.stat().st_size:,} bytes of {stated:,}. Copy or download it again."
            )
