"""One of several processes that train together: ``python -m terranas.training.worker FOLDER``.

``FOLDER`` holds ``job.json``; process 0 writes ``result.pt`` there. Whoever starts it by hand, as in
``torchrun --nproc-per-node 4 -m terranas.training.worker FOLDER``, gives as many processes as the recipe has.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import torch.distributed as dist

from terranas.core.errors import TerranasError
from terranas.core.files import read_json
from terranas.core.logs import configure_logging
from terranas.data.staging import staged
from terranas.training import launch
from terranas.training.deadline import Stop
from terranas.training.distributed import TIMEOUT, Ranks, is_lost_contact
from terranas.training.job import TrainingJob, run_rank
from terranas.training.result import save_result

logger = logging.getLogger(__name__)


def main(folder: Path) -> int:
    """Run one process's part of the job in ``folder`` and return its exit code.

    Raises:
        TerranasError: the training cannot go on; the others are ended by what started them.
    """
    if launch.WATCHED in os.environ:
        launch.end_with_parent()
    configure_logging()
    ranks = Ranks.from_environment()
    if ranks.rank > 0:  # all processes would say the same
        logging.getLogger("terranas").setLevel(logging.WARNING)
    launch.note_process(folder, ranks.rank)
    job = TrainingJob(**read_json(folder / "job.json"))
    stop = Stop(job.deadline)
    stop.listen()
    if job.recipe["processes"] != ranks.size:
        raise TerranasError(
            f"The recipe's numbers are those of training.processes {job.recipe['processes']}, but {ranks.size} were "
            "started."
        )
    code = launch.leave(folder, ranks.rank, _train(folder, job, ranks, stop))
    if code == launch.OUT_OF_MEMORY_EXIT:
        _end_at_once(code)
    return code


def _train(folder: Path, job: TrainingJob, ranks: Ranks, stop: Stop) -> int:
    device = ranks.device(job.recipe["device"])
    # the one that started them staged the data on its own node; the other nodes of a job do so here
    place = job.campaign["staging"] if job.nodes > 1 else None
    with staged(job.arrays, job.manifest, place, job.campaign["staging_cleanup"]) as arrays:
        if ranks.size > 1:
            ranks.join(folder, device)
        report = _report(folder) if ranks.rank == 0 else None
        result = run_rank(replace(job, arrays=arrays), ranks, device, stop, report)
        if result.outcome == "out_of_memory":
            return launch.OUT_OF_MEMORY_EXIT
        if ranks.rank == 0:
            save_result(result, folder / "result.pt")
        if ranks.size > 1:
            dist.barrier()
            dist.destroy_process_group()
    return launch.INTERRUPTED_EXIT if result.interrupted else 0


def _end_at_once(code: int) -> NoReturn:
    """End this process; a regular end may wait for the others, which wait for this one."""
    logging.shutdown()
    os._exit(code)


def _report(folder: Path) -> Callable[[Mapping[str, Any]], None]:
    def report(facts: Mapping[str, Any]) -> None:
        with suppress(OSError):  # a full disk is no reason to end a training
            launch.write_progress(folder, facts)

    return report


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except TerranasError as error:
        sys.exit(str(error))
    except RuntimeError as error:
        if not is_lost_contact(error):
            raise
        waited, reason = TIMEOUT.total_seconds() / 60, str(error).splitlines()[0]
        logger.error("Another process died, or did not answer for %.0f min: %s", waited, reason)
        _end_at_once(1)
