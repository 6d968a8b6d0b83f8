"""One training as a job: from names of arrays and settings to a result, in one process or several."""

import hashlib
import json
import logging
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terranas.core.errors import DataError
from terranas.core.files import write_json
from terranas.core.randomness import derive_seed, generator
from terranas.data.layout import SPLITS
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.space.network import Network
from terranas.training import NUMERICS_VERSION
from terranas.training.batches import ImageSet
from terranas.training.checkpoint import Checkpoint
from terranas.training.distributed import ALONE, Ranks, run_processes
from terranas.training.loop import TrainingResult, train
from terranas.training.recipe import Recipe, prepare_torch, resolve_device
from terranas.training.scores import Scores
from terranas.training.status import StatusScores, TrainingStatus, software_versions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingJob:
    """Everything one training needs, as plain values, so that it can be handed to other processes.

    Attributes:
        adjacency: the cell's matrix as a text.
        operations: the cell's operations as a text.
        network: settings of the section ``network``.
        recipe: settings of the section ``training``.
        seed: the study's seed.
        manifest: manifest of the prepared data.
        arrays: paths of the prepared arrays, keyed ``<split>_images`` and ``<split>_labels``.
        mean: mean of each band of the training images.
        std: standard deviation of each band of the training images.
        state: folder for checkpoints.
    """

    adjacency: str
    operations: str
    network: dict[str, int]
    recipe: dict[str, Any]
    seed: int
    manifest: dict[str, Any]
    arrays: dict[str, str]
    mean: list[float]
    std: list[float]
    state: str

    @property
    def cell(self) -> Cell:
        """The architecture."""
        return Cell.from_strings(self.adjacency, self.operations)

    @property
    def shape(self) -> NetworkShape:
        """Size of the network around the cell."""
        image = {name: self.manifest[name] for name in ("bands", "classes", "image_size")}
        return NetworkShape(**image, **self.network)

    def recipe_hash(self) -> str:
        """Return 16 hex digits of everything that decides the training's numbers."""
        deciding = {
            "adjacency": self.adjacency,
            "operations": self.operations,
            "network": self.network,
            "recipe": Recipe.from_settings(self.recipe).deciding(),
            "seed": self.seed,
            "manifest": self.manifest,
            "numerics": NUMERICS_VERSION,
        }
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:16]

    def checkpoint(self) -> Checkpoint:
        """Return the place of the training's checkpoint."""
        return Checkpoint(Path(self.state) / "_state" / self.recipe_hash() / self.cell.hash)


def run_job(job: TrainingJob) -> TrainingResult:
    """Train in this process, or in as many new ones as the recipe says.

    Raises:
        CellError: the architecture is no valid cell.
        DataError: an array is not the one the manifest describes.
        EnvironmentLackError: the device is missing.
        TerranasError: one of several processes died.
    """
    recipe = Recipe.from_settings(job.recipe)
    resolve_device(recipe.device, processes=recipe.processes)
    if recipe.processes == 1:
        return run_rank(job, ALONE)
    Network(job.cell, job.shape)  # faults of the input are told here, once, and not by every process
    _load_arrays(job)
    # on this machine's own disk: the processes meet through a locked file, which cluster file systems may not offer
    with tempfile.TemporaryDirectory(prefix="terranas.") as name:
        folder = Path(name)
        write_json(folder / "job.json", asdict(job))
        if not run_processes(folder, recipe.processes):
            result = TrainingResult()
            result.fail("out_of_memory", "The training does not fit into the memory of one of its processes.")
            return result
        return load_result(folder / "result.pt")


def run_rank(job: TrainingJob, ranks: Ranks, device: torch.device | None = None) -> TrainingResult:
    """Train in this process, which is one of ``ranks``."""
    recipe, cell = Recipe.from_settings(job.recipe), job.cell
    prepare_torch(recipe)
    device = device or resolve_device(recipe.device)
    arrays = _load_arrays(job)
    mean, std = np.array(job.mean), np.array(job.std)
    data = {
        split: ImageSet(arrays[f"{split}_images"], arrays[f"{split}_labels"], mean, std, device) for split in SPLITS
    }
    torch.manual_seed(derive_seed(job.seed, "training.init", cell.hash))
    network = Network(cell, job.shape)

    def order(epoch: int) -> NDArray[np.int64]:
        return generator(job.seed, "training.order", cell.hash, epoch).permutation(len(data["train"]))

    return train(network, data, job.manifest["classes"], recipe, order, device, job.checkpoint(), ranks)


def given_up(reason: str) -> TrainingResult:
    """Return the result of a training whose failure somebody accepted: no rows, no weights."""
    result = TrainingResult()
    result.fail("accepted_failure", reason)
    return result


def status_of(result: TrainingResult, architecture: str, processes: int, code: str) -> TrainingStatus:
    """Return the record of a result.

    Args:
        result: what came out.
        architecture: hash of the cell.
        processes: processes that trained together.
        code: fingerprint of the code that trained.
    """
    validation, test = (
        None if scores is None else StatusScores(**asdict(scores)) for scores in (result.validation, result.test)
    )
    return TrainingStatus(
        hash=architecture,
        outcome=result.outcome,
        reason=result.reason,
        epochs=len(result.rows),
        validation=validation,
        test=test,
        processes=processes,
        device=result.device,
        seconds=result.seconds,
        resumed=result.resumed,
        code=code,
        numerics=NUMERICS_VERSION,
        software=software_versions(),
    )


def save_result(result: TrainingResult, path: Path) -> None:
    """Hand a result to the process that started this one."""
    torch.save(asdict(result), path)


def load_result(path: Path) -> TrainingResult:
    """Take a result that :func:`save_result` wrote."""
    content: dict[str, Any] = torch.load(path, weights_only=True)
    for part in ("validation", "test"):
        content[part] = Scores(**content[part]) if content[part] else None
    return TrainingResult(**content)


def _load_arrays(job: TrainingJob) -> dict[str, NDArray[Any]]:
    """Map the arrays into memory and compare their shapes with the manifest."""
    arrays = {}
    bands, size = job.manifest["bands"], job.manifest["image_size"]
    for split in SPLITS:
        images = job.manifest["splits"][split]["images"]
        expected = {f"{split}_images": (images, bands, size, size), f"{split}_labels": (images,)}
        for name, shape in expected.items():
            try:
                arrays[name] = np.load(job.arrays[name], mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise DataError(
                    f"{job.arrays[name]} cannot be read as an array ({error}). Remove it and run again."
                ) from error
            if arrays[name].shape != shape:
                raise DataError(
                    f"{job.arrays[name]} has shape {arrays[name].shape}, its manifest says {shape}. "
                    "Remove it and run again."
                )
    return arrays
