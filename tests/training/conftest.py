"""A tiny separable problem, in memory and as files."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from terranas.config.training import TrainingConfig
from terranas.training.batches import ImageSet
from terranas.training.job import TrainingJob
from terranas.training.recipe import Recipe

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
        settings = {"epochs": 3, "batch_size": 8, "optimizer": "sgd", "learning_rate": 0.05, "checkpoint_every": 1}
        settings |= changed
        return Recipe.from_settings(TrainingConfig(**settings).model_dump())

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
        made[split] = (images, labels.astype(np.int64))
    return made


@pytest.fixture
def data(arrays):
    return {split: ImageSet(*content, np.zeros(3), np.ones(3), CPU) for split, content in arrays.items()}


@pytest.fixture
def job(arrays, recipe, tmp_path):
    def make(folder: Path = tmp_path, **changed):
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
            "splits": {split: {"images": count} for split, count in SPLITS.items()},
        }
        values = {
            **CELL,
            "network": {"stem_channels": 4, "stacks": 2, "cells_per_stack": 1},
            "recipe": asdict(recipe()),
            "seed": 0,
            "manifest": manifest,
            "arrays": paths,
            "mean": [0.5, 0.5, 0.5],
            "std": [1.2, 1.2, 1.2],
            "state": str(folder / "training"),
        } | changed
        return TrainingJob(**values)

    return make
