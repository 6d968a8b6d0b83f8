"""One training as a job: from names of arrays and settings to a result, in one process or several."""

import gc
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from terranas.core.digests import digest_of
from terranas.core.files import read_json, write_json
from terranas.core.processes import host_peak_mb
from terranas.core.randomness import derive_seed, generator
from terranas.space.cell import Cell
from terranas.space.complexity import NetworkShape
from terranas.space.network import Network
from terranas.training import NUMERICS_VERSION
from terranas.training.checkpoint import Checkpoints
from terranas.training.deadline import Stop
from terranas.training.distributed import ALONE, Ranks
from terranas.training.inputs import image_sets, open_arrays
from terranas.training.launch import chosen_launcher, meeting_folder, run_processes
from terranas.training.loop import train
from terranas.training.precision import is_channels_last, prepare_torch
from terranas.training.recipe import Recipe, resolve_device
from terranas.training.result import TrainingResult, load_result
from terranas.training.task import Task

logger = logging.getLogger(__name__)

SMALLEST_MICRO_BATCH = 2
"""Batch normalisation needs two images."""

Report = Callable[[dict[str, Any]], None]
"""Takes what happened: ``event`` and plain values."""


@dataclass(frozen=True)
class TrainingJob:
    """Everything one training needs, as plain values, so that it can be handed to other processes.

    Attributes:
        adjacency: the cell's matrix as a text.
        operations: the cell's operations as a text.
        network: settings of the section ``network``.
        recipe: settings of the section ``training``, without the recipe's name.
        campaign: settings of the section ``campaign``.
        seed: the study's seed.
        manifest: manifest of the prepared data.
        arrays: paths of the prepared arrays, keyed ``<split>_images`` and ``<split>_labels``.
        statistics: ``mean`` and ``std`` of each band, in physical units, that normalise each split.
        class_counts: training images of each class.
        state: folder for checkpoints.
        deadline: Unix time by which the training must have saved itself; None: no such time.
        nodes: machines that it runs on.
        micro_batch: most images of a process that go through the network at once; 0: a whole batch.
    """

    adjacency: str
    operations: str
    network: dict[str, int]
    recipe: dict[str, Any]
    campaign: dict[str, Any]
    seed: int
    manifest: dict[str, Any]
    arrays: dict[str, str]
    statistics: dict[str, dict[str, list[float]]]
    class_counts: list[int]
    state: str
    deadline: float | None = None
    nodes: int = 1
    micro_batch: int = 0

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
        """Return 16 hex digits of everything that decides the training's numbers.

        A smaller micro-batch, which a lack of memory forces, is no choice and stands in the rows instead.
        """
        deciding = {
            "adjacency": self.adjacency,
            "operations": self.operations,
            "network": self.network,
            "recipe": self.recipe,
            "seed": self.seed,
            "manifest": self.manifest,
            "statistics": self.statistics,
            "class_counts": self.class_counts,
            "numerics": NUMERICS_VERSION,
        }
        return digest_of(deciding)[:16]

    @property
    def folder(self) -> Path:
        """The training's own folder for checkpoints, lease and journal."""
        return Path(self.state) / "_state" / self.recipe_hash() / self.cell.hash

    def checkpoints(self) -> Checkpoints:
        """Return the place of the training's checkpoints."""
        identity: dict[str, str | int] = {
            "architecture": self.cell.hash,
            "recipe": self.recipe_hash(),
            "code version": NUMERICS_VERSION,
        }
        every, kept = self.campaign["checkpoint_every"], self.campaign["checkpoints_kept"]
        return Checkpoints(self.folder, identity, every, kept)


def run_job(job: TrainingJob, stop: Stop | None = None, report: Report | None = None) -> TrainingResult:
    """Train in this process, or in as many new ones as the recipe says.

    Where memory runs out, the training goes on from its last checkpoint with half as many images going through the
    network at once, down to two; the gradients of a batch are added up, so that its loss stays the same sum.

    Args:
        job: the training.
        stop: tells when to save and stop; None: only at the job's deadline.
        report: told of epochs, checkpoints and lacks of memory.

    Returns:
        The result; that of an earlier run where the training was finished before.

    Raises:
        CellError: the architecture is no valid cell.
        DataError: an array is not the one the manifest describes.
        EnvironmentLackError: the device is missing, or a checkpoint cannot be written.
        TerranasError: one of several processes died.
    """
    recipe = Recipe.from_settings(job.recipe)
    resolve_device(recipe.device, processes=-(-recipe.processes // job.nodes))
    if (finished := finished_result(job)) is not None:
        return finished
    stop = stop or Stop(job.deadline)
    note = job.folder / "micro_batch.json"  # so that a job that is run again does not have to find out again
    micro_batch = read_json(note) if note.exists() else recipe.batch_size
    while True:
        attempt = replace(job, micro_batch=micro_batch)
        if recipe.processes == 1:
            result = run_rank(attempt, ALONE, None, stop, report)
        else:
            result = _run_together(attempt, stop, report)
        if result.outcome != "out_of_memory":
            return result
        if report is not None:
            report({"event": "out_of_memory", "micro_batch": micro_batch, "reason": result.reason})
        if micro_batch <= SMALLEST_MICRO_BATCH:
            note.unlink(missing_ok=True)  # where there is more memory, the next attempt may use it
            return result
        micro_batch = max(SMALLEST_MICRO_BATCH, micro_batch // 2)
        logger.warning("%s Trying again with %d images of a batch at a time.", result.reason, micro_batch)
        write_json(note, micro_batch)
        _free_memory()


def run_rank(
    job: TrainingJob,
    ranks: Ranks,
    device: torch.device | None = None,
    stop: Stop | None = None,
    report: Report | None = None,
) -> TrainingResult:
    """Train in this process, which is one of ``ranks``; process 0 keeps the result for later runs."""
    recipe, cell = Recipe.from_settings(job.recipe), job.cell
    device = device or resolve_device(recipe.device)
    prepare_torch(recipe.threads, recipe.deterministic, device)
    data = image_sets(job, device, is_channels_last(recipe.memory_format))
    torch.manual_seed(derive_seed(job.seed, "training.init", cell.hash))
    network, images = Network(cell, job.shape), len(data["train"])

    def order(epoch: int) -> NDArray[np.int64]:
        return generator(job.seed, "training.order", cell.hash, epoch).permutation(images)

    task = Task(
        data=data,
        classes=job.manifest["classes"],
        recipe=recipe,
        order=order,
        device=device,
        ranks=ranks,
        micro_batch=job.micro_batch,
        class_counts=job.class_counts,
        seed=derive_seed(job.seed, "training.augmentation", cell.hash, ranks.rank),
        checkpoints=job.checkpoints(),
        stop=stop.reason if stop is not None else lambda: "",
        report=report or (lambda _: None),
    )
    result = train(network, task)
    if ranks.rank == 0 and not result.interrupted and result.outcome != "out_of_memory":
        job.checkpoints().finish(result.state())
    return result


def finished_result(job: TrainingJob) -> TrainingResult | None:
    """Return the result of an earlier run that came to its end, None where there is none."""
    state = job.checkpoints().finished()
    return None if state is None else replace(TrainingResult.from_state(state), resumed=True)


def _run_together(job: TrainingJob, stop: Stop, report: Report | None) -> TrainingResult:
    """Train in several new processes and return the result of the first one."""
    Network(job.cell, job.shape)  # faults of the input are told here, once, and not by every process
    open_arrays(job.arrays, job.manifest)
    launcher = chosen_launcher(job.campaign["launcher"], job.nodes)
    with meeting_folder(launcher, job.folder) as folder:
        write_json(folder / "job.json", asdict(job))
        ending = run_processes(
            folder,
            job.recipe["processes"],
            launcher=launcher,
            nodes=job.nodes,
            threads=job.recipe["threads"],
            stop=stop,
            report=report,
        )
        if ending == "out_of_memory":
            result = TrainingResult(micro_batch=job.micro_batch)
            result.fail("out_of_memory", "The training does not fit into the memory of one of its processes.")
            return result
        if ending == "interrupted" and not (folder / "result.pt").exists():
            return TrainingResult(interrupted=stop.reason())
        result = load_result(folder / "result.pt")
    return replace(result, peak_host_mb=result.peak_host_mb + host_peak_mb())


def _free_memory() -> None:
    """Give back what the failed attempt held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
