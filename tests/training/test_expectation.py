"""What trainings are expected to take, by what is known of the images."""

import json

from terranas.config import load_config
from terranas.sampling.architectures import Architecture
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape, macs
from terranas.training.estimate import estimate, resources_of
from terranas.training.expectation import Expectation

CHAIN = Architecture("0" * 32, None, "0100001000010000", "input,conv3x3-bn-relu,maxpool3x3,output")
IMAGES = {"train": 640, "validation": 320, "test": 320}


def test_headers_tell_before_the_manifest_does(tmp_path):
    study = load_config({"results_dir": str(tmp_path)})
    found = Expectation(study, {CHAIN.hash: CHAIN})
    cell = Cell.from_strings(CHAIN.adjacency, CHAIN.operations)
    shape = NetworkShape(bands=10, classes=17, image_size=32, **study.network.model_dump())
    recipe = study.training.model_dump()
    assert found.of(CHAIN.hash) == estimate(cell, shape, recipe, IMAGES, 2)
    assert found.macs(CHAIN.hash) == macs(cell, shape)

    counts = {"train": 6_400, "validation": 10, "test": 20}
    splits = {split: {"images": images} for split, images in counts.items()}
    (tmp_path / "data").mkdir()
    manifest = tmp_path / "data" / "manifest.json"
    manifest.write_text(json.dumps({"splits": splits, "storage": {"dtype": "float32"}}))
    prepared = found.of(CHAIN.hash)
    assert prepared == estimate(cell, shape, recipe, counts, 4)
    assert found.resources([CHAIN.hash] * 2) == resources_of([prepared, prepared])
