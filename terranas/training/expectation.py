"""What the trainings of a study are expected to take, by what is known of its images at the moment. No torch here."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from terranas.config.study import StudyConfig
from terranas.core.files import read_json
from terranas.data.layout import SPLITS
from terranas.data.precheck import bytes_a_value, expected_images
from terranas.sampling.architectures import Architecture
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs
from terranas.training.estimate import Estimate, estimate, resources_of

UNKNOWN_IMAGES = {"train": 100_000, "validation": 20_000, "test": 20_000}
"""Assumed of an own reader's images, which are counted only when they are prepared."""


class Expectation:
    """Estimates for the architectures of one study.

    Before the images are prepared, headers tell how many there are; afterwards the manifest does.
    """

    def __init__(self, study: StudyConfig, architectures: Mapping[str, Architecture]) -> None:
        self._study = study
        self._architectures = architectures
        self._manifest = Path(study.results_dir) / "data" / "manifest.json"
        data = study.data
        self._shape = NetworkShape(
            bands=data.bands, classes=data.classes, image_size=data.image_size, **study.network.model_dump()
        )
        self._recipe = study.training.model_dump(mode="json")
        # a folder of images is listed for it, once
        self._in_headers = lru_cache(lambda: (expected_images(data) or UNKNOWN_IMAGES, bytes_a_value(data)))
        self._prepared = lru_cache(maxsize=1)(self._read_manifest)

    def of(self, architecture: str) -> Estimate:
        """Return what the training of an architecture is expected to take."""
        return estimate(self._cell(architecture), self._shape, self._recipe, *self._images())

    def resources(self, architectures: Iterable[str]) -> dict[str, int]:
        """Return memory (``mem_mb``) and minutes (``runtime``) of a job that trains architectures side by side."""
        return resources_of([self.of(name) for name in architectures])

    def macs(self, architecture: str) -> int:
        """Return the multiply-accumulates of an architecture's network for one image."""
        return macs(self._cell(architecture), self._shape)

    def _cell(self, architecture: str) -> Cell:
        listed = self._architectures[architecture]
        return Cell.from_strings(listed.adjacency, listed.operations)

    def _images(self) -> tuple[Mapping[str, int], int]:
        """Return the images of each split and the bytes of a stored value."""
        if self._manifest.is_file():
            return self._prepared(self._manifest.stat().st_mtime_ns)
        return self._in_headers()

    def _read_manifest(self, _changed: int) -> tuple[Mapping[str, int], int]:
        manifest = read_json(self._manifest)
        splits = {split: manifest["splits"][split]["images"] for split in SPLITS}
        return splits, np.dtype(manifest["storage"]["dtype"]).itemsize
