"""Writing figures together with what is said of them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from terranas.core.figures import FORMATS, save_figure
from terranas.core.files import write_json
from terranas.landscape.figures import Drawing, Words


def save_figures(
    figures: Mapping[str, tuple[AbstractContextManager[Drawing], Words]], outputs: Mapping[str, str]
) -> None:
    """Write figures, the numbers behind them, and their texts.

    Args:
        figures: a drawing and its texts by the name of the figure.
        outputs: paths: ``<figure>_<format>`` for the formats png, pdf, svg and csv, and ``words``, a JSON file with
            the entries ``alt`` and ``caption`` by figure.
    """
    for name, (drawing, _) in figures.items():
        with drawing as (drawn, numbers):
            save_figure(drawn, {kind: outputs[f"{name}_{kind}"] for kind in (*FORMATS, "csv")}, numbers)
    texts = {name: {"alt": alt, "caption": caption} for name, (_, (alt, caption)) in figures.items()}
    write_json(outputs["words"], texts)
