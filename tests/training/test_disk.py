"""Disk space of a study, forecast before it starts."""

import numpy as np
import pytest

from terranas.config import StudyConfig, load_config
from terranas.training.disk import estimate_disk_use


def images(path, **changed):
    """Write an npz file and return the settings that read it."""
    arrays = {"x": np.zeros((5, 8, 8, 2), np.uint8), "y": np.arange(5) % 3, "names": np.array(["a", "b", "c"])}
    np.savez(path, **(arrays | changed))
    shape = {"bands": 2, "classes": 3, "image_size": 8}
    return {"name": "x", "source": "npz", "path": str(path), "images": shape}


def test_disk_use_counts_checkpoints_and_both_weights():
    """By hand: SGD without momentum, one network of 10 million parameters (40 MB), 450 trainings of 108 epochs."""
    thesis = {
        "space": {"max_vertices": 7},
        "network": {"stem_channels": 128, "cells_per_stack": 3},
        "sampling": {"walks": 30, "steps": 14, "architectures": "walks"},
        "training": {"recipe": "published"},
    }
    use = {
        kept: estimate_disk_use(load_config(thesis | {"campaign": {"checkpoints_kept": kept}})) for kept in (2, 3, None)
    }
    # a checkpoint has the last and the best network; two of each stay at the end, in the place of checkpoints
    assert use[3] - use[2] == pytest.approx(450 * 2 * 40e6, rel=0.01)
    assert use[None] - use[2] == pytest.approx(54 * 450 * 2 * 40e6, rel=0.01)  # every second of 108 epochs
    assert use[2] == pytest.approx(450 * 4 * 40e6, rel=0.02)
    adamw = thesis | {"training": {"recipe": "published", "optimizer": "adamw"}}
    assert estimate_disk_use(load_config(adamw)) - use[2] == pytest.approx(450 * 4 * 40e6, rel=0.01)


@pytest.mark.parametrize(("storage", "size"), [("auto", 1), ("uint8", 1), ("float16", 2), ("float32", 4)])
def test_disk_use_of_arrays_goes_by_their_type(tmp_path, storage, size):
    def use(count):
        pixels = np.broadcast_to(np.uint8(0), (count, 8, 8, 2))
        data = images(tmp_path / "images.npz", x=pixels, y=np.arange(count) % 3) | {"storage": storage}
        return estimate_disk_use(load_config({"data": data}))

    assert use(100_005) - use(5) == 100_000 * 128 * size


def test_disk_use_covers_what_is_written(tmp_path):
    default = StudyConfig()
    generated = 640 + 320 + 320
    assert estimate_disk_use(default) > generated * (18 * 1024 * 8 + 10 * 1024 * 4)
    thesis_network = {"stem_channels": 128, "cells_per_stack": 3}
    large = load_config({"space": {"max_vertices": 7}, "network": thesis_network})
    assert estimate_disk_use(large) > 1e12
    small = estimate_disk_use(load_config({"data": images(tmp_path / "images.npz")}))
    assert small < estimate_disk_use(default)
