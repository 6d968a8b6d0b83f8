"""Figures of rank correlations and of the tests of conclusions."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from terranas.benchmark.schema import METRICS, metric_name
from terranas.core.figures import COLOURS, figure
from terranas.core.formats import MISSING, SPACE, count, counted, fixed, listed, p_value, percent, sentence, significant
from terranas.landscape.figures import Drawing, Words, headline, say, shortened

_DIRECTIONS = {column.name: column.direction for column in METRICS}

MOST_ROWS = 60
"""Pairs drawn one below the other; of more, the strongest of each kind."""

_MAPS_A_LINE = 3

_COEFFICIENTS: dict[str, dict[str, Any]] = {
    "spearman": {"marker": "o", "color": COLOURS["blue"], "label": "Spearman's ρ"},
    "kendall": {"marker": "D", "color": COLOURS["vermilion"], "markerfacecolor": "white", "label": "Kendall's τ"},
}
_ACROSS = "across tables"
_KINDS = (
    "accuracies against costs",
    "accuracies against accuracies",
    "costs against costs",
    _ACROSS,
    "other fidelities",
)
_VERDICTS = {
    "supported": (COLOURS["blue"], "o"),
    "contradicted": (COLOURS["vermilion"], "s"),
    "open": (COLOURS["grey"], "o"),
    "described": (COLOURS["grey"], "x"),
}


@contextmanager
def correlations(table: pd.DataFrame) -> Iterator[Drawing]:
    """Draw rank correlations with their intervals by kind, and those between fidelities as maps.

    Args:
        table: schema ``landscape.correlations``.
    """
    numbers = table.assign(kind=_kinds(table))
    maps = _fidelity_maps(numbers)
    rows = _forest_rows(numbers[numbers["kind"] != "fidelities"])
    lines = -(-len(maps) // _MAPS_A_LINE)
    heights = [1.2 + 0.21 * len(rows)] if rows or not maps else []
    heights += [2.6 * lines] if maps else []
    with figure(7.6, 0.8 + sum(heights)) as (drawn, axes):
        axes.remove()
        parts = drawn.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0].tolist()
        if rows or not maps:
            _draw_forest(parts[0].subplots(), rows)
        if maps:
            panels = parts[-1].subplots(lines, _MAPS_A_LINE, squeeze=False).ravel()
            for panel in panels[len(maps) :]:
                panel.set_axis_off()
            for panel, ((dataset, metric), cells) in zip(panels, maps.items(), strict=False):
                _draw_map(panel, cells)
                panel.set_title(f"{metric_name(metric)}\n{dataset}", fontsize=8.5)
        left_out = _pairs(numbers[numbers["kind"] != "fidelities"]) - sum(row is not None for _, row in rows)
        headline(
            drawn,
            f"Rank correlations with {_level(table)} intervals",
            _numbers_of(table),
            f"the {counted(left_out, 'weakest pair')} left out" if left_out else "",
        )
        yield drawn, numbers


def correlations_words(table: pd.DataFrame) -> Words:
    """Return the texts of :func:`correlations`."""
    numbers = table.assign(kind=_kinds(table))
    chosen = numbers[(numbers["coefficient"] == "spearman") & numbers["statistic"].notna()]
    parts = []
    for kind, rows in chosen.groupby("kind", sort=False):
        strongest = rows.iloc[int(rows["statistic"].abs().argmax())]
        clear = int((rows["statistic_low"] * rows["statistic_high"] > 0).sum())
        parts.append(
            f"{kind}: {clear} of {counted(len(rows), 'pair')} with an interval that leaves out 0, the strongest "
            f"{fixed(strongest['statistic'])} ({_pair_name(strongest, True)})"
        )
    undefined = int(table["statistic"].isna().sum())
    maps = "Maps: the same metric at two fidelities, Spearman's above the diagonal and Kendall's below. "
    maps = maps if (numbers["kind"] == "fidelities").any() else ""
    return (
        f"Spearman's and Kendall's rank correlations of {counted(_pairs(table), 'pair')} of metrics. "
        f"{'; '.join(parts) if parts else 'None is defined'}.",
        f"Spearman's and Kendall's rank correlations with {_level(table)} intervals ({_methods(table)}). {maps}"
        f"{sentence(_numbers_of(table))}. {sentence(counted(undefined, 'correlation'))} undefined.",
    )


@contextmanager
def conclusions(table: pd.DataFrame) -> Iterator[Drawing]:
    """Draw the effect size of each comparison behind a conclusion, with its interval, verdict and Holm's p-value.

    Args:
        table: schema ``landscape.conclusions``.
    """
    numbers = table.copy()
    rows: list[tuple[str, pd.Series | None]] = []
    for conclusion, part in numbers.groupby("conclusion", sort=False):
        rows.append((str(conclusion), None))
        rows += [(_comparison_name(row), row) for _, row in part.iterrows()]
    notes = list(dict.fromkeys(note for note in numbers["note"] if note))
    with figure(9.0, 1.8 + 0.42 * len(rows), columns=3, sharey=True, width_ratios=(3.7, 2.2, 3.1)) as (drawn, axes):
        if not rows:
            say(axes[1], "No conclusion was tested.")
            axes[0].set_axis_off()
            axes[2].set_axis_off()
        else:
            _draw_conclusions(axes, rows, notes)
            handles, labels = axes[1].get_legend_handles_labels()
            shown = dict(zip(labels, handles, strict=True))
            if shown:
                drawn.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=-(-len(shown) // 2))
        tested = int(numbers["p_holm"].notna().sum())
        headline(
            drawn,
            "Conclusions as paired tests (Wilcoxon's signed ranks)",
            f"p-values adjusted for a family of {counted(tested, 'test')} (Holm), "
            f"{percent(1 - float(numbers['alpha'].iloc[0]), 0)} intervals"
            if len(numbers)
            else "",
            *(f"{_mark(place)} {note}" for place, note in enumerate(notes)),
        )
        yield drawn, numbers


def conclusions_words(table: pd.DataFrame) -> Words:
    """Return the texts of :func:`conclusions`."""
    parts = []
    for conclusion, rows in table.groupby("conclusion", sort=False):
        found = rows["verdict"].value_counts()
        told = listed([f"{found[verdict]} {verdict}" for verdict in _VERDICTS if verdict in found])
        effects = rows["rank_biserial"].dropna()
        spread = f", effect sizes {fixed(effects.min())} to {fixed(effects.max())}" if len(effects) else ""
        parts.append(f"{conclusion}: {told} of {counted(len(rows), 'comparison')}{spread}")
    return (
        f"Effect sizes with intervals. {sentence('; '.join(parts)) if parts else 'No conclusion was tested'}.",
        "Conclusions of the thesis as paired comparisons. Filled: matched-pairs rank-biserial correlation; open: "
        "Cliff's delta, which ignores the pairing; both are 1 where the conclusion always holds and −1 where its "
        "opposite does. A conclusion is supported or contradicted where Holm's p-value is below "
        f"{significant(float(table['alpha'].iloc[0]), 1) if len(table) else 'the level'}, and open elsewhere"
        + ("; pairs that depend on each other are only described." if "described" in set(table["verdict"]) else "."),
    )


def _kinds(table: pd.DataFrame) -> list[str]:
    return [_kind(row) for row in table.to_dict("records")]


def _kind(row: dict[Any, Any]) -> str:
    if row["first_dataset"] != row["second_dataset"]:
        return _ACROSS
    if row["first_epochs"] != row["second_epochs"]:
        return "fidelities" if row["first_metric"] == row["second_metric"] else "other fidelities"
    costs = sum(_DIRECTIONS.get(row[f"{end}_metric"]) == "minimise" for end in ("first", "second"))
    return ("accuracies against accuracies", "accuracies against costs", "costs against costs")[costs]


def _forest_rows(numbers: pd.DataFrame) -> list[tuple[str, pd.DataFrame | None]]:
    """Return headings and pairs in their order; a pair is the rows of its coefficients."""
    rows: list[tuple[str, pd.DataFrame | None]] = []
    kinds = [kind for kind in _KINDS if (numbers["kind"] == kind).any()]
    for kind in kinds:
        chosen = numbers[numbers["kind"] == kind]
        heading = pd.Series("", chosen.index) if kind == _ACROSS else chosen["first_dataset"]
        for dataset, of_dataset in chosen.groupby(heading, sort=False):
            groups = [part for _, part in of_dataset.groupby(_PAIR, sort=False)]
            if _pairs(numbers) > MOST_ROWS:
                groups.sort(key=lambda part: -np.nan_to_num(part["statistic"].abs().max()))
                groups = groups[: max(1, MOST_ROWS * len(groups) // _pairs(numbers))]
            rows.append((", ".join(filter(None, (kind, str(dataset)))), None))
            rows += [(_pair_name(part.iloc[0], False), part) for part in groups]
    return rows


_PAIR = ["first_dataset", "first_metric", "first_epochs", "second_dataset", "second_metric", "second_epochs"]


def _pair_name(row: pd.Series, with_datasets: bool) -> str:
    ends = []
    other = row["first_epochs"] != row["second_epochs"]
    across = row["first_dataset"] != row["second_dataset"]
    for end in ("first", "second"):
        text = metric_name(row[f"{end}_metric"])
        if across:
            text = f"{row[f'{end}_dataset']} {text}"
        if other and not across:
            text += f" ({count(row[f'{end}_epochs'])})"
        ends.append(text)
    if with_datasets and not across:
        ends[0] = f"{row['first_dataset']}: {ends[0]}"
    return " – ".join(ends)


def _pairs(table: pd.DataFrame) -> int:
    return len(table.drop_duplicates(_PAIR))


def _draw_forest(axes: Axes, rows: list[tuple[str, pd.DataFrame | None]]) -> None:
    if not rows:
        say(axes, "No rank correlation.")
        return
    axes.axvline(0, color=COLOURS["grey"], linewidth=0.8)
    for place, (text, part) in enumerate(rows):
        if part is None:
            axes.text(-0.02, place, text, transform=axes.get_yaxis_transform(), ha="right", va="center", weight="bold")
            continue
        for _, row in part.iterrows():
            offset = -0.14 if row["coefficient"] == "spearman" else 0.14
            draw_interval(axes, row, "statistic", place + offset, _COEFFICIENTS[str(row["coefficient"])])
        told = part.sort_values("coefficient", ascending=False).iloc[0]  # Spearman's, where it is there
        axes.text(1.03, place, _statistic(told), transform=axes.get_yaxis_transform(), va="center", fontsize=7.5)
    named = [(place, text) for place, (text, part) in enumerate(rows) if part is not None]
    axes.set_yticks([place for place, _ in named], [text for _, text in named], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-1.03, 1.03)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("rank correlation")
    axes.text(1.03, 1, "coefficient [interval], n", transform=axes.transAxes, va="bottom", fontsize=7.5)
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    if shown:
        axes.figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=2)


def draw_interval(axes: Axes, row: pd.Series, column: str, height: float, style: dict[str, Any]) -> None:
    """Draw a value and its interval at a height; nothing where the value is NaN.

    Args:
        axes: where.
        row: with the columns of the value and of both ends.
        column: of the value.
        height: on the other axis.
        style: of the marker, with its label.
    """
    if np.isnan(row[column]):
        return
    low, high = row[f"{column}_low"], row[f"{column}_high"]
    if not np.isnan(low + high):
        axes.plot([low, high], [height, height], color=style["color"], linewidth=1.1)
    axes.plot(row[column], height, linestyle="", markersize=4.5, **style)


def _statistic(row: pd.Series) -> str:
    if np.isnan(row["statistic"]):
        return f"undefined: {row['reason']}"
    text = f"{_COEFFICIENTS[row['coefficient']]['label'][-1]} {fixed(row['statistic'])}"
    if not np.isnan(row["statistic_low"] + row["statistic_high"]):
        text += f" [{fixed(row['statistic_low'])}, {fixed(row['statistic_high'])}]"
    return f"{text}, {count(row['n'])}"


def _fidelity_maps(numbers: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    chosen = numbers[numbers["kind"] == "fidelities"]
    return {
        (str(key[0]), str(key[1])): part for key, part in chosen.groupby(["first_dataset", "first_metric"], sort=False)
    }


def _draw_map(axes: Axes, cells: pd.DataFrame) -> None:
    epochs = sorted({*cells["first_epochs"], *cells["second_epochs"]})
    place = {number: index for index, number in enumerate(epochs)}
    grid = np.full((len(epochs), len(epochs)), np.nan)
    known = np.zeros(grid.shape, dtype=bool)
    for row in cells.to_dict("records"):
        low, high = sorted((place[row["first_epochs"]], place[row["second_epochs"]]))
        where = (low, high) if row["coefficient"] == "spearman" else (high, low)
        grid[where], known[where] = row["statistic"], True
    axes.imshow(np.ma.masked_invalid(grid), cmap="RdBu", vmin=-1, vmax=1)
    size = 8 if len(epochs) <= 5 else 6
    for (row_place, column), value in np.ndenumerate(grid):
        if known[row_place, column]:
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row_place, fixed(value), ha="center", va="center", fontsize=size, color=colour)
    labels = [count(number) for number in epochs]
    axes.set_xticks(range(len(epochs)), labels)
    axes.set_yticks(range(len(epochs)), labels)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xlabel("epochs: ρ above, τ below")
    axes.set_ylabel("epochs")


def _draw_conclusions(axes: Any, rows: list[tuple[str, pd.Series | None]], notes: list[str]) -> None:
    names, effects, words = axes
    effects.axvline(0, color=COLOURS["grey"], linewidth=0.8)
    for place, (text, row) in enumerate(rows):
        if row is None:
            names.text(
                0, place + 0.1, textwrap.fill(sentence(text), 48), ha="left", va="center", weight="bold", fontsize=8.5
            )
            continue
        colour, marker = _VERDICTS[row["verdict"]]
        filled = {"marker": marker, "color": colour, "label": f"{row['verdict']}: rank-biserial"}
        hollow = {"marker": "D", "color": colour, "markerfacecolor": "white", "label": f"{row['verdict']}: Cliff's δ"}
        draw_interval(effects, row, "rank_biserial", place - 0.14, filled)
        draw_interval(effects, row, "cliffs_delta", place + 0.14, hollow)
        names.text(1, place, text, ha="right", va="center", fontsize=7.5, linespacing=1.05)
        mark = _mark(notes.index(row["note"])) if row["note"] else ""
        entries = (_difference(row), p_value(row["p_holm"]), f"{row['verdict']}{mark}")
        for x, entry in zip(_COLUMNS, entries, strict=True):
            words.text(x, place, entry, va="center", fontsize=7.5)
    for x, entry in zip(_COLUMNS, ("median difference", "p (Holm)", "verdict"), strict=True):
        words.text(x, 0.1, entry, va="center", fontsize=8)
    for panel in (names, words):
        for text in panel.texts:
            text.set_in_layout(False)  # else the panels make room for words that fit them already
        panel.set_xlim(0, 1)
        panel.set_axis_off()
    effects.set_ylim(len(rows) - 0.5, -0.5)
    effects.set_xlim(-1.06, 1.06)
    effects.grid(axis="y", visible=False)
    effects.tick_params(axis="y", length=0, labelleft=False)
    effects.set_xlabel("effect size: −1 against the conclusion, 1 for it")


_COLUMNS = (0.0, 0.57, 0.75)


def _comparison_name(row: pd.Series) -> str:
    quantity, _, mean = str(row["quantity"]).partition(", ")
    pairs = ("means of " if mean else "") + counted(int(row["n"]), str(row["unit"]))
    (dataset, first), (other, second) = (_series_name(row[end]) for end in ("first", "second"))
    if dataset == other:
        return f"{quantity} on {shortened(dataset, 40)}, {pairs}:\n{first} > {second}"
    return f"{quantity}, {pairs}:\n{first} on {shortened(dataset)}\n> {second} on {shortened(other)}"


def _series_name(name: str) -> tuple[str, str]:
    """Return images and metric of a series, in words."""
    dataset, _, metric = str(name).rpartition(", ")
    return dataset, metric_name(metric)


def _difference(row: pd.Series) -> str:
    """Return the median difference and its interval; that of accuracies in percentage points."""
    is_accuracy = str(row["quantity"]).startswith("accuracy")
    factor, digits, unit = (100, 1, f"{SPACE}points") if is_accuracy else (1, 2, "")
    value, low, high = (
        MISSING if np.isnan(number) else ("+" if number > 0 else "") + fixed(factor * number, digits)
        for number in (row["median_difference"], row["median_difference_low"], row["median_difference_high"])
    )
    if value == MISSING:
        return MISSING
    return f"{value}{unit}" + (f" [{low}, {high}]" if MISSING not in (low, high) else "")


def _mark(place: int) -> str:
    return "*" * (place + 1) if place < 3 else f"({place + 1})"


def _level(table: pd.DataFrame) -> str:
    levels = sorted(table["confidence"].unique())
    return listed([percent(level, 0) for level in levels]) if levels else "confidence"


def _methods(table: pd.DataFrame) -> str:
    names = {"bca": "BCa bootstrap over architectures", "asymptotic": "asymptotic, by influence values"}
    found = [text for method, text in names.items() if (table["method"] == method).any()]
    return listed(found) if found else "none could be made"


def _numbers_of(table: pd.DataFrame) -> str:
    datasets = listed(sorted({*table["first_dataset"], *table["second_dataset"]}) or ["no tables"])
    if table.empty:
        return datasets
    low, high = int(table["n"].min()), int(table["n"].max())
    return f"{datasets}, n = {count(low)}" + (f" to {count(high)}" if high > low else "") + " architectures"
