"""A tiny separable problem, in memory and as files."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from terranas.config.training import CampaignConfig, TrainingConfig
from terranas.core.files import sha256_file
from terranas.training.batches import ImageSet
from terranas.training.job import TrainingJob
from terranas.training.recipe import Recipe
from terranas.training.task import Task

SPLITS = {"train": 40, "validation": 21, "test": 14}
CELL = {"adjacency": "0100001000010000", "operations": "input,conv3x3-bn-relu,maxpool3x3,output"}
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def torch_as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def recipe():
    def make(**changed):
        settings = {"epochs": 3, "batch_size": 8, "optimizer": "sgd", "learning_rate": 0.05}
        return Recipe.from_settings(TrainingConfig(**settings | changed).model_dump(exclude={"recipe"}))

    return make


@pytest.fixture
def arrays():
    """Three classes that differ in the band that is bright; noise on top."""
    rng = np.random.default_rng(0)
    made = {}
    for split, count in SPLITS.items():
        labels = rng.permutation(np.arange(count) % 3)
        images = rng.normal(size=(count, 3, 8, 8)).astype(np.float32)
        images[np.arange(count), labels] += 1.5
        made[split] = (np.ascontiguousarray(images.transpose(0, 2, 3, 1)), labels.astype(np.int64))
    return made


@pytest.fixture
def image_set():
    def make(images, labels):
        return ImageSet(images, labels, np.ones(3), np.zeros(3), CPU, resident=False)

    return make


@pytest.fixture
def data(arrays, image_set):
    return {split: image_set(*content) for split, content in arrays.items()}


@pytest.fixture
def task(data, recipe):
    """Return what a training is given; the recipe's settings and the task's own stand side by side."""

    def make(**changed):
        own = {name: changed.pop(name) for name in list(changed) if name in Task.__dataclass_fields__}
        values = {
            "data": data,
            "classes": 3,
            "recipe": recipe(**changed),
            "order": lambda epoch: np.random.default_rng(epoch).permutation(len(data["train"])),
            "device": CPU,
        }
        return Task(**values | own)

    return make


@pytest.fixture
def job(arrays, recipe, tmp_path):
    def make(folder: Path = tmp_path, campaign=None, **changed):
        paths = {}
        for split, (images, labels) in arrays.items():
            for part, content in (("images", images), ("labels", labels)):
                paths[f"{split}_{part}"] = str(tmp_path / f"{split}_{part}.npy")
                np.save(paths[f"{split}_{part}"], content)
        manifest = {
            "source": "npz",
            "bands": 3,
            "classes": 3,
            "image_size": 8,
            "storage": {"dtype": "float32", "scale": [1.0] * 3, "offset": [0.0] * 3, "largest_error": [0.0] * 3},
            "splits": {
                split: {
                    "images": count,
                    "dropped": 0,
                    **{f"sha256_{part}": sha256_file(paths[f"{split}_{part}"]) for part in ("images", "labels")},
                }
                for split, count in SPLITS.items()
            },
        }
        counted = Counter(arrays["train"][1].tolist())
        values = {
            **CELL,
            "network": {"stem_channels": 4, "stacks": 2, "cells_per_stack": 1},
            "recipe": asdict(recipe()),
            "campaign": CampaignConfig(**{"checkpoint_every": 1} | (campaign or {})).model_dump(),
            "seed": 0,
            "manifest": manifest,
            "arrays": paths,
            "statistics": {split: {"mean": [0.5] * 3, "std": [1.2] * 3} for split in SPLITS},
            "class_counts": [counted[label] for label in range(3)],
            "state": str(folder / "training"),
        } | changed
        return TrainingJob(**values)

    return make
