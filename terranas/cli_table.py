"""``terranas table``: what a table file holds, and the Pareto front of a benchmark table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from terranas.cli_frame import ERROR, Json, complete_metrics, examples, note, print_json

if TYPE_CHECKING:
    from terranas.inspection.tables import ColumnSummary, TableSummary

table_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Look into tables that terranas reads and writes."
)

_VALUES_SHOWN = 8
File = Annotated[Path, typer.Argument(metavar="FILE", help="The table.")]


@table_app.command(
    "info",
    epilog=examples(
        "terranas table info results/demo/benchmark/study.parquet",
        "terranas table info my_measurements.csv --json",
    ),
)
def table_info(file: File, json: Json = False) -> None:
    """Say what a table holds: schema, rows, architectures, images, metrics and their ranges, and whether it validates.

    FILE is a parquet file that terranas wrote (published tables that `snakemake tables` imported included), one of its
    CSV files, or a table of your own as benchmark.own takes it. A table that does not validate ends with exit code 1.

    Keys of --json: valid, problem, file, schema, version, rows, key, architectures, values (dataset, device, outcome,
    source), columns (name, meaning, unit, direction, measured, least, greatest, missing), attributes.
    """
    from terranas.inspection.tables import summarise_table

    summary = summarise_table(file)
    if json:
        print_json(summary.facts())
    else:
        _print_summary(summary)
    if not summary.valid:
        raise typer.Exit(ERROR)


@table_app.command(
    "front",
    epilog=examples(
        "terranas table front study.parquet -o validation_micro_accuracy,macs",
        "terranas table front nb201.parquet -o test_micro_accuracy,latency_ms@edgegpu",
    ),
)
def table_front(
    file: File,
    objectives: Annotated[
        str,
        typer.Option(
            "--objectives",
            "-o",
            help="Metrics, separated by commas; METRIC@DEVICE is a metric on one of several devices.",
            autocompletion=complete_metrics,
        ),
    ],
    dataset: Annotated[str | None, typer.Option("--dataset", help="Images, where the table has several.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="Device, where the table has several.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Fidelity; default: the highest.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Rows to print; 0 prints all.")] = 20,
    csv: Annotated[Path | None, typer.Option("--csv", help="File to write the whole front to.")] = None,
    json: Json = False,
) -> None:
    """Print the exact Pareto front of a benchmark table: what no other architecture beats in all objectives.

    The best in the first objective comes first. Architectures with an unknown value are left out.

    Keys of --json: file, dataset, epochs, objectives (name, direction, unit), architectures (in the table), size (of
    the front), csv, front (all its rows: the key, the objectives, and predicted where a value is).
    """
    from terranas.core.files import write_text
    from terranas.inspection.front import true_front

    names = [name.strip() for name in objectives.split(",") if name.strip()]
    front, benchmark = true_front(file, names, dataset=dataset, device=device, epochs=epochs)
    if csv is not None:
        write_text(csv, front.to_csv(index=False))
    about = [{"name": name, "direction": benchmark.direction(name), "unit": benchmark.unit(name)} for name in names]
    if json:
        print_json(
            {
                "file": str(file),
                "dataset": benchmark.dataset,
                "epochs": benchmark.epochs,
                "objectives": about,
                "architectures": len(benchmark),
                "size": len(front),
                "csv": None if csv is None else str(csv),
                "front": front.to_dict("records"),
            }
        )
        return
    wanted = ", ".join(f"{each['name']} ({each['direction']})" for each in about)
    note(
        f"{len(front)} of {len(benchmark):,} architectures on {benchmark.dataset}, {benchmark.epochs} epochs: {wanted}"
    )
    if front.empty:
        note("No architecture has a value in all of them.")
        return
    shown = front if limit == 0 else front.head(limit)
    typer.echo(shown.to_string(index=False, float_format="{:.10g}".format))
    if 0 < limit < len(front):
        note(f"... and {len(front) - limit} more; --limit 0 prints all.")
    if csv is not None:
        note(f"Wrote {csv}.")


def _print_summary(summary: "TableSummary") -> None:
    version = "" if summary.version is None else f" version {summary.version}"
    typer.echo(f"{summary.file}: {summary.schema}{version}")
    if summary.valid:
        typer.echo("valid          yes")
    else:
        typer.echo(f"valid          no: {summary.problem}")
    typer.echo(f"rows           {summary.rows:,}")
    if summary.key:
        typer.echo(f"key            {', '.join(summary.key)}")
    if summary.architectures is not None:
        typer.echo(f"architectures  {summary.architectures:,}")
    for name, values in summary.values.items():
        more = len(values) - _VALUES_SHOWN
        shown = ", ".join(values[:_VALUES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        if shown:
            typer.echo(f"{name:14s} {shown}")
    for name in ("licence", "citation"):
        if isinstance(text := summary.attributes.get(name), str):
            typer.echo(f"{name:14s} {text}")
    metrics = [column for column in summary.columns if column.direction]
    others = [column for column in summary.columns if not column.direction]
    for title, columns in (("metrics", metrics), ("other numbers", others)):
        if columns:
            typer.echo(f"{title}:")
            _print_columns(columns)


def _print_columns(columns: "list[ColumnSummary]") -> None:
    from terranas.core.formats import significant

    filled = [column for column in columns if column.least is not None and column.greatest is not None]
    width = max((len(column.name) for column in filled), default=0)
    for column in filled:
        low, high = (significant(value, 4) for value in (column.least, column.greatest) if value is not None)
        parts = [f"{low} to {high} {column.unit}".strip() if low != high else f"{low} {column.unit}".strip()]
        parts += [column.direction, "measured" if column.measured else "computed"] if column.direction else []
        parts += [f"missing in {column.missing:,} rows"] if column.missing else []
        typer.echo(f"  {column.name:{width}s}  {', '.join(parts)}")
    if empty := [column.name for column in columns if column not in filled]:
        typer.echo(f"  without a value: {', '.join(empty)}")
