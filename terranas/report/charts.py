"""Charts that a script draws: what they show as plain data, and the words for those who do not see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from terranas.core.formats import count, counted, percent

QUANTILES = {"smallest": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "largest": 1.0}
"""What a band shows, with the share of the values below."""


@dataclass(frozen=True)
class Chart:
    """A chart drawn by ``assets/charts.js``.

    Attributes:
        name: identifier on its page.
        kind: ``bars``: a bar a category and series; ``bands``: quantiles over a number.
        alt: what is seen, with numbers.
        caption: what is shown and how it was computed.
        data: plain values, by kind: ``categories``, ``unit`` and ``series`` of ``name`` and ``values``; or ``x``,
            ``x_name``, ``y_name`` and ``bands`` of ``name`` and lists by the names of :data:`QUANTILES`.
        source: path of the file that it was computed from; empty where it is not known.
    """

    name: str
    kind: Literal["bars", "bands"]
    alt: str
    caption: str
    data: Mapping[str, Any] = field(repr=False)
    source: str = ""

    @property
    def numbers(self) -> pd.DataFrame:
        """What is drawn, as a table."""
        if self.kind == "bars":
            columns = {f"{one['name']} [{self.data['unit']}]": one["values"] for one in self.data["series"]}
            return pd.DataFrame({"category": self.data["categories"], **columns})
        columns = {f"{band['name']}, {name}": band[name] for band in self.data["bands"] for name in QUANTILES}
        return pd.DataFrame({self.data["x_name"]: self.data["x"], **columns})


def learning_curves(epochs: pd.DataFrame, source: str = "") -> Chart | None:
    """Return how the accuracies rose over the epochs; None where no training finished one.

    Args:
        epochs: schema ``training.epochs`` of all trainings.
        source: path of a file that it was read from.
    """
    if epochs.empty:
        return None
    grouped = epochs.groupby("epoch")
    bands: list[dict[str, Any]] = []
    for name, column in (("training", "train_micro_accuracy"), ("validation", "validation_micro_accuracy")):
        values = {
            word: [round(float(value), 5) for value in grouped[column].quantile(share)]
            for word, share in QUANTILES.items()
        }
        bands.append({"name": f"{name} micro accuracy", **values})
    ends = {band["name"]: (band["median"][0], band["median"][-1]) for band in bands}
    told = "; ".join(f"{name} from {percent(first)} to {percent(last)}" for name, (first, last) in ends.items())
    trainings = counted(epochs["hash"].nunique(), "training")
    return Chart(
        name="learning",
        kind="bands",
        alt=f"Curves over {count(len(grouped))} epochs; medians of {trainings}: {told}.",
        caption=f"Accuracy after each epoch over {trainings}: median (line), middle half (dark band) and range (light "
        "band). Training accuracy is counted while the network learns.",
        data={
            "x": sorted(epochs["epoch"].unique().tolist()),
            "x_name": "epoch",
            "y_name": "micro accuracy",
            "bands": bands,
        },
        source=source,
    )
