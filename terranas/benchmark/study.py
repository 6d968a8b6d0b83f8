"""Putting the study's own trainings and measurements together as a tabular benchmark."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from terranas.benchmark.schema import BENCHMARK, METRICS
from terranas.core.errors import TableError
from terranas.core.formats import counted
from terranas.training.status import TrainingStatus

logger = logging.getLogger(__name__)

SOURCE = "terranas"

_PER_EPOCH = (
    "train_loss",
    "validation_loss",
    "train_macro_accuracy",
    "train_micro_accuracy",
    "validation_macro_accuracy",
    "validation_micro_accuracy",
)


def assemble_study(
    cells: pd.DataFrame,
    epochs: pd.DataFrame,
    statuses: Sequence[TrainingStatus],
    profiles: pd.DataFrame,
    dataset: str,
    device_name: str | None = None,
) -> pd.DataFrame:
    """Return the study's benchmark table.

    An architecture whose training ended well has one row an epoch, with the training time up to then; test metrics
    stand at its last epoch only, since the test images are used once. An architecture whose training did not has
    exactly one row, at the highest fidelity of the study, with the outcome and without anything that a training
    gives; its size and latency are known all the same. What measuring flagged stays in, since the architecture would
    lack a value otherwise; a warning counts it.

    Args:
        cells: the search space (schema ``space.cells``).
        epochs: the trainings' epochs, of all architectures together (schema ``training.epochs``).
        statuses: one for each architecture to train.
        profiles: measurements (schema ``profiling.profiles``), joined by hash.
        dataset: name of the images.
        device_name: model of the device whose measurements are taken over; None where there is only one.

    Raises:
        TableError: there are no trainings, an architecture is not in the space, epochs and statuses do not belong
            together, or the profiles are of other devices than the one to take over.
    """
    states = _states(statuses)
    ended_well = states["outcome"] == "ok"
    rows = pd.concat(
        [_finished(epochs, states[ended_well]), _failed(states[~ended_well], _highest_fidelity(states))],
        ignore_index=True,
    )
    costs = _costs(_of_device(profiles, device_name))
    for facts in (_sizes(cells), _built_sizes(profiles), costs):
        rows = rows.merge(facts, on="hash", how="left")
    table = rows
    if unknown := table.loc[table["parameters"].isna(), "hash"].unique().tolist():
        raise TableError(
            f"{len(unknown)} trained architectures are not in the space, such as {unknown[0]}. Remove the results of "
            "an earlier, larger space or set another results_dir."
        )
    table = table.assign(repeat=0, dataset=dataset, source=SOURCE, device=table["device"].fillna(""))
    for column in METRICS:
        if column.name not in table.columns:
            table[column.name] = np.nan
    return BENCHMARK.validate(table[BENCHMARK.names].sort_values(["hash", "epochs"], ignore_index=True))


def _states(statuses: Sequence[TrainingStatus]) -> pd.DataFrame:
    if not statuses:
        raise TableError("There are no trainings to put together. Train at least one architecture first.")
    states = pd.DataFrame(
        {
            "hash": [status.hash for status in statuses],
            "outcome": [status.outcome for status in statuses],
            "finished": [status.epochs for status in statuses],
            "test_macro_accuracy": [status.test.macro_accuracy if status.test else np.nan for status in statuses],
            "test_micro_accuracy": [status.test.micro_accuracy if status.test else np.nan for status in statuses],
        }
    )
    if not states["hash"].is_unique:
        twice = states.loc[states["hash"].duplicated(), "hash"].iloc[0]
        raise TableError(f"The training of {twice} has two statuses; expected one an architecture.")
    return states


def _highest_fidelity(states: pd.DataFrame) -> int:
    """Return the epochs of the trainings that ended well, or the most that any reached when none did."""
    finished = states.loc[states["outcome"] == "ok", "finished"]
    return int(states["finished"].max() if finished.empty else finished.max())


def _finished(epochs: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    rows = epochs[epochs["hash"].isin(states["hash"])].sort_values(["hash", "epoch"])
    grouped = rows.groupby("hash")["epoch"]
    # epochs are at least 1 and stand once each, so the count and the last one suffice
    reached = grouped.agg(["size", "max"]).reindex(states["hash"]).fillna(0)
    expected = states["finished"].to_numpy()
    wrong = (reached["size"].to_numpy() != expected) | (reached["max"].to_numpy() != expected) | (expected == 0)
    if wrong.any():
        first = states[wrong].iloc[0]
        raise TableError(
            f"The training of {first['hash']} says it finished {first['finished']} epochs, but its table has "
            f"{int(reached.loc[first['hash'], 'size'])}. Remove that architecture's folder and run again."
        )
    kept = rows[["hash", "epoch", *_PER_EPOCH]].rename(columns={"epoch": "epochs"})
    kept["training_seconds"] = rows.groupby("hash")["training_seconds"].cumsum()
    joined = kept.merge(states, on="hash")
    last = joined["epochs"] == joined["finished"]
    for name in ("test_macro_accuracy", "test_micro_accuracy"):
        joined[name] = joined[name].where(last)
    return joined.drop(columns="finished")


def _failed(states: pd.DataFrame, fidelity: int) -> pd.DataFrame:
    return states[["hash", "outcome"]].assign(epochs=fidelity)


def _sizes(cells: pd.DataFrame) -> pd.DataFrame:
    return cells[["hash", "id", "parameters", "macs"]]


_BUILT_SIZES = ("activations", "model_bytes", "checkpoint_bytes")

_COSTS = {
    "latency_ms": "latency_ms",
    "latency_std_ms": "latency_std_ms",
    "peak_memory_bytes": "peak_memory_bytes",
    "energy_mj": "inference_energy_mj",
}
"""Columns of a device in the benchmark, by their names in the profiles."""


def _built_sizes(profiles: pd.DataFrame) -> pd.DataFrame:
    """Return what was counted on the built networks; no device changes it."""
    return profiles[["hash", *_BUILT_SIZES]].drop_duplicates("hash").astype(dict.fromkeys(_BUILT_SIZES, "float64"))


def _of_device(profiles: pd.DataFrame, device_name: str | None) -> pd.DataFrame:
    """Return the profiles of one model of device."""
    known = sorted(set(profiles["device_name"]))
    if device_name is None:
        if len(known) > 1:
            raise TableError(
                f"The profiles are of {len(known)} models of device: {', '.join(known)}. Say by profiling.device_name "
                "which one's measurements enter the benchmark."
            )
        chosen = profiles
    elif known and device_name not in known:
        raise TableError(
            f"profiling.device_name is {device_name}, but the profiles are of {', '.join(known)}. Set it to one of "
            "them, or measure on that device."
        )
    else:
        chosen = profiles[profiles["device_name"] == device_name]
    if not chosen["hash"].is_unique:
        raise TableError("The profiles hold an architecture twice; expected those of one device.")
    return chosen


def _costs(profiles: pd.DataFrame) -> pd.DataFrame:
    """Return what belongs to a device; nothing of it where there is no latency."""
    timed = profiles[profiles["latency_ms"].notna()]
    if flagged := int((timed["flags"] != "").sum()):
        logger.warning(
            "Measuring flagged %s of %d; their latencies enter the benchmark all the same, and `snakemake "
            "device_report` lists them",
            counted(flagged, "profile"),
            len(timed),
        )
    return timed[["hash", *_COSTS]].rename(columns=_COSTS).assign(device=timed["device_name"])
