"""Looking at a running training now and then: are its numbers finite, and is it to stop?"""

import torch

from terranas.training.state import State
from terranas.training.task import Task

STEPS_BETWEEN_LOOKS = {"cpu": 1, "cuda": 20}
"""Steps between looks at the losses and the reasons to stop: a GPU would have to be waited for at each."""

STOP_REASONS = ("time limit", "SIGUSR1", "SIGTERM", "a request")
"""What processes tell each other; every other reason is the last one to them."""


class DivergedError(Exception):
    """The training cannot come back from what happened; the message says what."""


def look(state: State, task: Task) -> str:
    """Return why to stop, "" where there is no reason; in all processes or in none.

    Raises:
        DivergedError: the loss of a step was not finite in one of them.
    """
    reason = task.stop()
    told = torch.zeros(len(STOP_REASONS), dtype=torch.int64, device=task.device)
    if reason:
        told[STOP_REASONS.index(reason) if reason in STOP_REASONS else -1] = 1
    both = torch.cat([told, (~state.tally.losses[: state.steps].isfinite()).long()])
    task.ranks.all_reduce(both)
    both = both.cpu()
    told, lost = both[: len(STOP_REASONS)], both[len(STOP_REASONS) :]
    if lost.any():
        raise DivergedError(
            f"The training loss was not finite in epoch {state.epochs + 1} of {task.recipe.epochs}, in step "
            f"{lost.argmax().item() + 1} of {task.epoch_steps}."
        )
    return reason or next((other for other, count in zip(STOP_REASONS, told, strict=True) if count), "")


def require_finite(state: State, task: Task) -> None:
    """Check that no weight is infinite or NaN.

    Raises:
        DivergedError: one is.
    """
    if not state.is_finite(task.ranks):
        raise DivergedError(f"A weight was not finite in epoch {state.epochs + 1} of {task.recipe.epochs}.")
