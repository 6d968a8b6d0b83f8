"""Sections that say how an architecture is trained, and how the many trainings of a study are run."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from terranas.config.base import Place, Section

RECIPES: dict[str, dict[str, Any]] = {
    # the published code: momentum was parsed but never handed to the optimiser
    "published": {
        "processes": 4,
        "epochs": 108,
        "batch_size": 64,
        "optimizer": "sgd",
        "learning_rate": 1e-4,
        "momentum": 0.0,
        "weight_decay": 5e-4,
        "schedule": "constant",
        "precision": "fp32",
        "memory_format": "contiguous",
        "deterministic": False,
    },
    "modern": {
        "processes": 1,
        "epochs": 30,
        "batch_size": 256,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "schedule": "cosine",
        "label_smoothing": 0.1,
        "augmentation": "flips_rotations",
        "precision": "auto",
        "memory_format": "auto",
        "deterministic": False,
    },
}
"""Values of the named recipes; docs/training.md says where they come from."""


class TrainingConfig(Section):
    """How one architecture is trained."""

    recipe: Literal["own", "published", "modern"] = Field(
        "own",
        description="Named set of the values below; what is given beside it overrides it (docs/training.md). own: the "
        "defaults below.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "cpu",
        description="Device to train on; auto takes CUDA where there is a device (results then depend on it).",
    )
    processes: int = Field(
        1,
        ge=1,
        description="Data-parallel (DDP) processes, one a GPU; each draws batches of its own.",
    )
    threads: int = Field(
        1,
        ge=1,
        description="Threads of torch in each process (part of the result's bits, so not left to the scheduler).",
    )
    epochs: int = Field(4, ge=1, description="Passes over the training images.")
    batch_size: int = Field(16, ge=2, description="Images in a batch of one process.")
    optimizer: Literal["sgd", "adamw", "rmsprop"] = Field("adamw", description="Optimiser.")
    learning_rate: float = Field(0.005, gt=0, description="Learning rate (peak of the schedule).")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD and RMSprop, or first beta of AdamW.")
    weight_decay: float = Field(5e-4, ge=0, description="Weight decay.")
    schedule: Literal["constant", "cosine", "linear"] = Field(
        "cosine",
        description="constant, or a linear warm-up over the first tenth of the steps followed by a cosine or a line.",
    )
    loss: Literal["cross_entropy", "focal"] = Field(
        "cross_entropy", description="Loss that is trained on; recorded losses are cross-entropies always."
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of each label spread over all classes.")
    class_weights: Literal["none", "balanced"] = Field(
        "none", description="Weight of a class in the loss; balanced: inverse to its number of training images."
    )
    augmentation: Literal["none", "flips", "flips_rotations"] = Field(
        "none", description="Random flips, or flips and quarter turns, of the training images, done on the device."
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "fp32",
        description="fp32, or autocast to bf16 or fp16; auto: bf16 where the device computes in it, else fp16 on CUDA "
        "and fp32 on CPUs.",
    )
    memory_format: Literal["auto", "channels_last", "contiguous"] = Field(
        "auto", description="Order of the values of feature maps in memory; auto: the faster one for the device."
    )
    compile: bool = Field(False, description="Whether torch.compile translates the network first.")
    deterministic: bool = Field(
        True, description="Whether only deterministic algorithms run; always so on CPUs, where it costs nothing."
    )
    best_metric: Literal["validation_micro_accuracy", "validation_macro_accuracy", "validation_loss"] = Field(
        "validation_micro_accuracy",
        description="What makes an epoch the best one; the network of the best epoch is tested beside the last one.",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_recipe(cls, settings: Any) -> Any:
        if isinstance(settings, Mapping) and settings.get("recipe") in RECIPES:
            return RECIPES[settings["recipe"]] | dict(settings)
        return settings


class CampaignConfig(Section):
    """How the trainings of a study are run; nothing here decides a number, so nothing here makes one run again."""

    checkpoint_every: int = Field(2, ge=1, description="Epochs between checkpoints, from which a killed job goes on.")
    checkpoints_kept: int | None = Field(
        2, ge=2, description="Checkpoints kept of a training; null: all (about 2 TB for the published study)."
    )
    staging: Place | None = Field(
        None,
        description="Folder on fast storage of the node to copy the arrays to, once a node, such as /dev/shm or "
        "$SLURM_TMPDIR; auto: the first of $SLURM_TMPDIR, $TMPDIR and /dev/shm that has room; null: none.",
    )
    staging_cleanup: bool = Field(
        False, description="Whether the last training on a node removes the copied arrays when it ends."
    )
    resident: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether the arrays are held on the device; auto: on a GPU, where they take at most half of its "
        "free memory.",
    )
    launcher: Literal["auto", "local", "torchrun", "srun"] = Field(
        "auto", description="What starts data-parallel processes; auto: srun where a job has several nodes, else local."
    )
    pack: int = Field(
        1,
        ge=1,
        description="Architectures trained side by side in one job, one GPU each; 1: every architecture has a job of "
        "its own.",
    )
    deadline_margin: int = Field(
        120, ge=0, description="Seconds before a job's time limit at which a training saves itself and is queued again."
    )
    lease_seconds: int = Field(
        300,
        ge=10,
        description="Age at which the sign of life of a training counts as dead where nothing else tells; others then "
        "take over.",
    )
