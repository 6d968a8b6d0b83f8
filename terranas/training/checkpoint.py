"""Checkpoints of a training, from which a killed or stopped one goes on, and the result that it ends with.

They are no outputs of the workflow, since Snakemake deletes those before a retry.
"""

import hashlib
import io
import logging
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from terranas.core.errors import EnvironmentLackError
from terranas.core.files import atomic_path

logger = logging.getLogger(__name__)

FORMAT = 2
"""Raised when the content of a checkpoint gets another layout."""

DIGEST_BYTES = 32
_NAME = re.compile(r"checkpoint-(\d+)-(\d+)\.pt")


@dataclass(frozen=True)
class Checkpoints:
    """The saved states of one training, in a folder of its own.

    A file ``checkpoint-<epochs>-<steps>.pt`` was saved after so many finished epochs and so many steps of the next one.
    It starts with the SHA-256 of the rest, so that one damaged by a full or failing disk is told from a whole one, and
    names the training it belongs to. Only one process may write at a time.

    Attributes:
        folder: ``_state/<recipe hash>/<architecture>`` below the training results.
        identity: what the training is, by name: architecture, recipe, version of the code.
        every: epochs between checkpoints.
        kept: how many are kept; None keeps all.
    """

    folder: Path
    identity: Mapping[str, str | int]
    every: int = 2
    kept: int | None = 2

    def is_due(self, epoch: int, epochs: int) -> bool:
        """Return whether to save after an epoch."""
        return epoch % self.every == 0 or epoch == epochs

    def save(self, content: dict[str, Any], epochs: int, steps: int) -> Path:
        """Write a checkpoint and remove those that are not kept.

        Args:
            content: tensors, numbers, texts, lists and dictionaries.
            epochs: finished epochs.
            steps: steps taken of the next epoch.

        Raises:
            EnvironmentLackError: it cannot be written; the ones before stay as they are.
        """
        path = self.folder / f"checkpoint-{epochs}-{steps}.pt"
        self._write(path, content)
        if self.kept is not None:
            files = self._files()
            place = files.index(path)
            # one that got further than this was no good, or this training would have gone on from there
            for other in (*files[:place], *files[place + self.kept :]):
                other.unlink(missing_ok=True)
        return path

    def load(self) -> dict[str, Any] | None:
        """Return the newest content that is whole and belongs to this training, on the CPU; None where there is none.

        Every file that is passed over is logged with the reason.
        """
        files = self._files()
        for path in files:
            if (content := self._read(path)) is not None:
                return content
        if files:
            logger.warning("No checkpoint in %s can be used; the training starts anew.", self.folder)
        return None

    def finish(self, content: dict[str, Any]) -> None:
        """Write the result of the finished training; checkpoints go, unless all are kept.

        A run that comes later for another reason than other numbers finds it and neither trains nor tests again.
        """
        self._write(self._result, content)
        if self.kept is not None:
            for path in self._files():
                path.unlink(missing_ok=True)

    def finished(self) -> dict[str, Any] | None:
        """Return what :meth:`finish` wrote, None where there is nothing usable."""
        return self._read(self._result) if self._result.exists() else None

    @property
    def _result(self) -> Path:
        return self.folder / "result.pt"

    def _files(self) -> list[Path]:
        """Return the checkpoints, the one that got furthest first."""
        found = {path: _NAME.fullmatch(path.name) for path in self.folder.glob("checkpoint-*.pt")}
        places = {path: (int(match[1]), int(match[2])) for path, match in found.items() if match}
        return sorted(places, key=lambda path: places[path], reverse=True)

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, "identity": dict(self.identity), "content": content}, buffer)
        try:
            for torn in self.folder.glob(".*.pt"):  # what a kill left of an earlier attempt to write
                torn.unlink(missing_ok=True)
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                file.write(hashlib.sha256(buffer.getbuffer()).digest())
                file.write(buffer.getbuffer())
        except OSError as error:
            raise EnvironmentLackError(
                f"{path} ({buffer.tell() / 1e6:.1f} MB) cannot be written: {error.strerror}. The checkpoints before it "
                "are whole; make room or give access, and run again to go on from them."
            ) from error

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            stored = path.read_bytes()
        except OSError as error:
            logger.warning("%s cannot be read (%s) and is passed over.", path, error.strerror)
            return None
        if hashlib.sha256(stored[DIGEST_BYTES:]).digest() != stored[:DIGEST_BYTES]:
            logger.warning("%s is damaged (its checksum differs) and is passed over.", path)
            return None
        try:
            loaded = torch.load(io.BytesIO(stored[DIGEST_BYTES:]), map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            logger.warning("%s cannot be read (%s) and is passed over.", path, str(error).splitlines()[0])
            return None
        if difference := self._difference(loaded):
            logger.warning("%s is not used: %s.", path, difference)
            return None
        content: dict[str, Any] = loaded["content"]
        return content

    def _difference(self, loaded: Any) -> str:
        """Return what makes a file one of another training, empty where nothing does."""
        if not isinstance(loaded, dict) or loaded.get("format") != FORMAT:
            got = loaded.get("format") if isinstance(loaded, dict) else None
            return f"it was written by another version of terranas (format {got}, this one reads format {FORMAT})"
        got = loaded["identity"]
        differing = [
            f"its {name} is {got.get(name)}, this training's is {value}"
            for name, value in self.identity.items()
            if got.get(name) != value
        ]
        return "; ".join(differing)


def save_weights(weights: dict[str, torch.Tensor], path: str | Path) -> None:
    """Write a network's state, atomically; ``torch.load`` reads it."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        torch.save(weights, file)
