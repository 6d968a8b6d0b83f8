"""One architecture of a pack: ``python -m terranas.training.pack_member FOLDER``, started by terranas.training.pack.

``FOLDER`` holds ``job.json``. What is trained lies in the architecture's own state; ``outcome.json`` says only why
nothing does.
"""

import logging
import os
import sys
from pathlib import Path

from terranas.core.errors import TerranasError
from terranas.core.files import read_json, write_json
from terranas.core.logs import configure_logging
from terranas.training import launch
from terranas.training.architecture import train_architecture
from terranas.training.deadline import Stop
from terranas.training.job import TrainingJob

logger = logging.getLogger(__name__)


def main(folder: Path) -> int:
    """Train the architecture of the job in ``folder`` and return the exit code."""
    if launch.WATCHED in os.environ:
        launch.end_with_parent()
    configure_logging()
    job = TrainingJob(**read_json(folder / "job.json"))
    stop = Stop(job.deadline)
    stop.listen()
    try:
        result = train_architecture(job, stop)
    except TerranasError as error:
        logger.error("%s", error)
        write_json(folder / "outcome.json", {"reason": str(error)})
        return 1
    return launch.INTERRUPTED_EXIT if result.interrupted else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
