"""The frame around every workflow script: log set up, errors told in one place."""

import errno
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from terranas.core.errors import TerranasError
from terranas.core.logs import configure_logging

MACHINE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}
"""What a disk or its owner can refuse; no defect of terranas."""


def run_script(main: Callable[[Any], None], snakemake: Any) -> None:
    """Run ``main(snakemake)`` with logging to the rule's log file.

    A :class:`TerranasError` is logged as one message and ends the process with exit code 1; any other exception is
    logged with its traceback first. ``snakemake`` is the object that Snakemake gives a script, or anything with
    the same attributes (tests pass a ``SimpleNamespace``).
    """
    configure_logging(str(snakemake.log[0]) if len(snakemake.log) else None)
    logger = logging.getLogger("terranas")
    try:
        main(snakemake)
    except TerranasError as error:
        logger.error("%s", error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in MACHINE_ERRORS:
            logger.exception("Unexpected error; this is a defect of terranas, please report it with this log.")
        else:
            logger.error("The machine refuses to go on: %s. Free space or mend permissions, and run again.", error)
        sys.exit(1)
    except Exception:
        logger.exception("Unexpected error; this is a defect of terranas, please report it with this log.")
        sys.exit(1)


def offer_checkout(root: Path) -> None:
    """Put the checkout first on the Python path of all child processes, such as the scripts of jobs."""
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(root) if not inherited else f"{root}{os.pathsep}{inherited}"
