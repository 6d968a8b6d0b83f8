"""What terranas offers beside the claims on training, as settings."""

from terranas.config.training import RECIPES, CampaignConfig
from terranas.core.formats import counted
from terranas.report.published.claim import Finding, agrees
from terranas.report.published.inputs import Inputs

PUBLISHED = RECIPES["published"]


def epochs_and_processes(inputs: Inputs) -> Finding:
    """Epochs and GPUs of the published recipe, beside what the published results say (T1)."""
    last_epoch, last_step = (inputs.eo.checks[f"the last {name}"] for name in ("epoch is 107", "step is 148,715"))
    batch = PUBLISHED["batch_size"]
    agreed = not (last_epoch.disagreeing or last_step.disagreeing)
    return Finding(
        f"{PUBLISHED['epochs']} epochs, {PUBLISHED['processes']} GPUs with {batch} images each; in the published "
        f"results all {last_step.compared} trainings end with epoch 107 and step 148,715, counted from 0: 108 × 1,377 "
        f"steps, 352,366 images in batches of {PUBLISHED['processes']} × {batch}",
        agrees(agreed and (PUBLISHED["epochs"], PUBLISHED["processes"]) == (108, 4)),
    )


def optimiser(_: Inputs) -> Finding:
    """Optimiser of the published recipe (T2)."""
    settings = tuple(PUBLISHED[name] for name in ("optimizer", "learning_rate", "weight_decay", "momentum"))
    name, rate, decay, momentum = settings
    return Finding(
        f"{name.upper()}, learning rate {rate:g}, weight decay {decay:g}, momentum {momentum:g}",
        agrees(settings == ("sgd", 1e-4, 5e-4, 0.0)),
    )


def checkpoints(_: Inputs) -> Finding:
    """Epochs between checkpoints (T3)."""
    epochs = CampaignConfig().checkpoint_every
    return Finding(f"every {counted(epochs, 'epoch')}", agrees(epochs == 2))


FINDINGS = {"T1": epochs_and_processes, "T2": optimiser, "T3": checkpoints}
"""What is computed beside each claim of the topic."""
