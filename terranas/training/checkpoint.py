"""Checkpoints of a training that was not finished, from which a killed job goes on.

They are no outputs of the workflow, since Snakemake deletes those before a retry.
"""

import hashlib
import io
import logging
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from terranas.core.files import atomic_path

logger = logging.getLogger(__name__)

DIGEST_BYTES = 32


@dataclass(frozen=True)
class Checkpoint:
    """The latest state of one training, in a folder of its own.

    The file starts with the SHA-256 of the rest, so that one damaged by a full or failing disk is told from a whole
    one.

    Attributes:
        folder: ``_state/<recipe hash>/<architecture>`` below the training results.
    """

    folder: Path

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "checkpoint.pt"

    def save(self, content: dict[str, Any]) -> None:
        """Replace the checkpoint; ``content`` may hold tensors, numbers, texts, lists and dictionaries."""
        buffer = io.BytesIO()
        torch.save(content, buffer)
        with atomic_path(self.path) as temporary, temporary.open("wb") as file:
            file.write(hashlib.sha256(buffer.getbuffer()).digest())
            file.write(buffer.getbuffer())

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the content, or None where there is no checkpoint or only a damaged one (which is logged)."""
        try:
            stored = self.path.read_bytes()
        except FileNotFoundError:
            return None
        digest, content = stored[:DIGEST_BYTES], stored[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            logger.warning("%s is damaged (its checksum differs); the training starts anew.", self.path)
            return None
        try:
            loaded: dict[str, Any] = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        except (pickle.UnpicklingError, RuntimeError) as error:
            logger.warning("%s cannot be read (%s); the training starts anew.", self.path, error)
            return None
        return loaded

    def finish(self) -> None:
        """Keep of a training's last state what testing needs; nothing happens where there is no state.

        The optimiser's part goes. What stays lets a training that must run again for another reason than its numbers
        find its weights and rows instead of training anew.
        """
        saved = self.load(torch.device("cpu"))
        if saved is not None and saved.pop("optimizer", None) is not None:
            self.save(saved)
