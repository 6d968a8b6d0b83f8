"""Sections that say which networks and which images a study is about."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from terranas.config.base import Place, Section
from terranas.data.layout import LCZ_NAMES, SO2SAT_IMAGE_SIZE, SO2SAT_SENSOR_BANDS, SO2SAT_SENSORS

Fraction = Annotated[float, Field(gt=0, lt=1)]

WHOLE_SPACE = {"max_vertices": 7, "max_edges": 9}
"""Limits of NAS-Bench-101: all 423,624 cells."""

PUBLISHED_NETWORK = {"stem_channels": 128, "stacks": 3, "cells_per_stack": 3}
PUBLISHED_IMAGE = {"bands": 3, "classes": 10, "image_size": 32}
"""The network that NAS-Bench-101 trained, and its images (CIFAR-10)."""


class SpaceConfig(Section):
    """Which cells of NAS-Bench-101 the study is about."""

    max_vertices: int = Field(4, ge=2, le=7, description="Largest number of vertices of a cell (7: all 423,624 cells).")
    max_edges: int = Field(9, ge=1, le=9, description="Largest number of edges of a cell.")


class NetworkConfig(Section):
    """The network that is built around a cell."""

    stem_channels: int = Field(8, ge=1, description="Channels after the stem convolution (NAS-Bench-101: 128).")
    stacks: int = Field(
        3, ge=1, le=6, description="Stacks of cells; channels double and the image halves between them."
    )
    cells_per_stack: int = Field(1, ge=1, description="Cells in a stack (NAS-Bench-101: 3).")


class SyntheticConfig(Section):
    """Size of the generated images (source: synthetic)."""

    train: int = Field(640, ge=17, description="Number of training images.")
    validation: int = Field(320, ge=17, description="Number of validation images.")
    test: int = Field(320, ge=17, description="Number of test images.")


class ImagesConfig(Section):
    """Facts of images that come without splits, checked against the files (sources npz, folder and own)."""

    bands: int = Field(3, ge=1, description="Bands of an image.")
    classes: int = Field(10, ge=2, description="Number of classes.")
    image_size: int = Field(
        32,
        ge=8,
        description="Height and width of an image in pixels; images of a folder may be a whole multiple of it and are "
        "averaged down.",
    )
    train: Fraction = Field(0.6, description="Share of the images, drawn by class, that train.")
    validation: Fraction = Field(0.2, description="Share of the images that validate.")
    test: Fraction = Field(0.2, description="Share of the images that test; what is left of 1 is not used.")

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if (total := self.train + self.validation + self.test) > 1 + 1e-9:
            raise ValueError(f"train + validation + test is {total:g}; the three shares may not exceed 1 together")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """Share of each split."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


class DataConfig(Section):
    """The images to train on."""

    name: str = Field(
        "synthetic So2Sat-layout images",
        min_length=1,
        description="Name of the data set in tables, figures and the report; says 'synthetic' for generated images.",
    )
    source: Literal["synthetic", "so2sat", "npz", "folder", "own"] = Field(
        "synthetic",
        description="synthetic: generated in the So2Sat layout; so2sat: folder with training.h5, validation.h5, "
        "testing.h5; npz: one file with the arrays x, y and names; folder: a folder of images a class (JPEG, PNG, "
        "GeoTIFF); own: whatever the Python file data.reader reads (docs/data.md).",
    )
    path: str | None = Field(
        None, description="Folder (so2sat, folder), file (npz) or either (own) to read; null for synthetic images."
    )
    reader: Place | None = Field(None, description="Python file that reads your own layout (source: own).")
    sensors: Literal["sen1", "sen2", "both"] = Field("sen2", description="Bands used of So2Sat-layout files.")
    split: Literal["official", "random"] = Field(
        "official",
        description="Splits of So2Sat-layout files. official: one file a split (d1, other cities in validation and "
        "test); random: training and validation are 80 % and 20 % of the training file by class (d2), test stays the "
        "official one.",
    )
    not_finite: Literal["refuse", "drop", "zero"] = Field(
        "refuse",
        description="What happens to images with NaN or infinite pixels: an error, the image is left out, or the "
        "pixels become 0.",
    )
    storage: Literal["auto", "uint8", "uint16", "float16", "float32"] = Field(
        "auto",
        description="Type of the prepared pixels; auto: the smallest that loses nothing that matters (docs/data.md). "
        "The largest error stands in the manifest.",
    )
    normalisation: Literal["training", "each_split"] = Field(
        "training",
        description="Images whose mean and standard deviation a band normalise a split: the training images, or its "
        "own (the published study did so for validation).",
    )
    synthetic: SyntheticConfig = SyntheticConfig()
    images: ImagesConfig = ImagesConfig()

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if self.source == "synthetic":
            if self.path is not None:
                raise ValueError("path must be null when source is synthetic, since the images are generated")
            if "synthetic" not in self.name.lower():
                raise ValueError(f"name must contain 'synthetic' when source is synthetic, got '{self.name}'")
        elif self.path is None:
            raise ValueError(f"path must name the images when source is {self.source}")
        elif "synthetic" in self.name.lower():
            raise ValueError(f"name must name the real images when source is {self.source}, got '{self.name}'")
        if (self.source == "own") != (self.reader is not None):
            raise ValueError(
                f"source is {self.source} and reader is {self.reader!r}; a Python file that reads the images belongs "
                "to source own, and only to it"
            )
        return self

    @property
    def in_so2sat_layout(self) -> bool:
        """Whether the images come in So2Sat's three files."""
        return self.source in ("synthetic", "so2sat")

    @property
    def bands(self) -> int:
        """Bands of an image as the network sees it."""
        if not self.in_so2sat_layout:
            return self.images.bands
        return sum(SO2SAT_SENSOR_BANDS[name] for name in SO2SAT_SENSORS[self.sensors])

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(LCZ_NAMES) if self.in_so2sat_layout else self.images.classes

    @property
    def image_size(self) -> int:
        """Height and width of an image in pixels."""
        return SO2SAT_IMAGE_SIZE if self.in_so2sat_layout else self.images.image_size


class SamplingConfig(Section):
    """Random walks through the space and the choice of architectures to train."""

    walks: int = Field(6, ge=1, description="Number of random walks.")
    steps: int = Field(4, ge=1, description="Steps of a walk; it visits one architecture more.")
    neighbourhood: Literal["hamming", "hamming_any", "edit", "edit_symmetric"] = Field(
        "hamming",
        description="Graph the walks follow. hamming (one bit of the 17x17 encoding of the published numbering) is the "
        "published one; hamming_any takes the bit in any numbering, so that the graph does not depend on which of the "
        "isomorphic copies was stored; edit and edit_symmetric also change operations.",
    )
    unique: Literal["walk", "study"] = Field(
        "walk", description="Whether an architecture is visited once per walk or once in all walks together."
    )
    architectures: Literal["all", "walks"] = Field(
        "all", description="Architectures to train: the whole space, or those the walks visit."
    )
