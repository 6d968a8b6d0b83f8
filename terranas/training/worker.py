"""One of several processes that train together: ``python -m terranas.training.worker FOLDER``."""

import logging
import sys
from pathlib import Path

import torch.distributed as dist

from terranas.core.errors import TerranasError
from terranas.core.files import read_json
from terranas.core.logs import configure_logging
from terranas.training.distributed import OUT_OF_MEMORY_EXIT, Ranks, end_with_parent, join_ranks
from terranas.training.job import TrainingJob, run_rank, save_result
from terranas.training.recipe import Recipe, resolve_device


def main(folder: Path) -> int:
    """Run one process's part of the job in ``folder`` and return its exit code."""
    end_with_parent()
    configure_logging()
    ranks = Ranks.from_environment()
    if ranks.rank > 0:  # all processes would say the same
        logging.getLogger("terranas").setLevel(logging.WARNING)
    job = TrainingJob(**read_json(folder / "job.json"))
    recipe = Recipe.from_settings(job.recipe)
    device = resolve_device(recipe.device, ranks.rank, recipe.processes)
    join_ranks(ranks, folder, device)
    result = run_rank(job, ranks, device)
    if result.outcome == "out_of_memory":
        return OUT_OF_MEMORY_EXIT
    if ranks.rank == 0:
        save_result(result, folder / "result.pt")
    dist.barrier()
    dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except TerranasError as error:
        sys.exit(str(error))
