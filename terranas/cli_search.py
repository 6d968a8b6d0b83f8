"""``terranas search``: searches that train what they evaluate, beside the workflow."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from terranas.cli_frame import DEFAULT_CONFIG, ConfigFile, SnakemakeOptions, complete_arm, examples
from terranas.config import read_config
from terranas.core.errors import ConfigError
from terranas.core.formats import count, counted, significant
from terranas.core.logs import configure_logging
from terranas.training.campaign_resume import INTERRUPTED_CODE

if TYPE_CHECKING:
    import pandas as pd

    from terranas.search.driver import SearchRun
    from terranas.search.live_journal import LiveJournal

logger = logging.getLogger(__name__)

search_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Search by training, instead of on a table."
)

CALLED_FOR = ("--profile", "--executor", "-e")
# the search reads the configuration too, and must not read another one than the trainings do
REFUSED = ("--config", "-C", "--configfile", "--configfiles", "--directory", "-d")


@search_app.callback()
def _several_commands() -> None:
    """Keep ``live`` a command of its own while it is the only one."""


@search_app.command(
    "live",
    epilog=examples(
        "terranas search live --budget 40",
        "terranas search live --method nsga2 --budget 200 --profile slurm -- --jobs 50",
    ),
)
def search_live_command(
    options: SnakemakeOptions = None,
    configfile: ConfigFile = DEFAULT_CONFIG,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Profile of snakemake, such as slurm; default: this machine.")
    ] = None,
    method: Annotated[
        str,
        typer.Option("--method", help="Search and its starts, as the arms of a study.", autocompletion=complete_arm),
    ] = "random",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Index of the repetition.")] = 0,
    budget: Annotated[
        int | None,
        typer.Option("--budget", min=1, help="Architectures to train; default: the last of search.budgets.random."),
    ] = None,
    batch: Annotated[
        int, typer.Option("--batch", min=1, max=5000, help="Most architectures in one call of snakemake.")
    ] = 1000,
    gone: Annotated[
        bool, typer.Option("--gone", help="Snakemake no longer runs on the other machine that campaign/run.json names.")
    ] = False,
) -> None:
    """Search by training: each round asks the workflow for a batch of trainings, and what they reach leads to the next.

    The same command goes on where it stopped, whatever was killed. What the study trains, or another search trained,
    is not trained again.
    """
    from terranas.search.live_study import LiveRequest, require_possible, search_folder, search_live
    from terranas.search.live_workflow import LiveWorkflow, only_search

    configure_logging()
    config = read_config(configfile)
    request = LiveRequest(method, seed, budget or max(config.search.budgets.random), batch)
    require_possible(config, request)
    workflow = LiveWorkflow(config, configfile, _snakemake_options(profile, options or []))
    with only_search(workflow.results, float(config.campaign.lease_seconds)):
        try:
            workflow.settle(gone=gone)
            tables = search_live(config, request, workflow, display=_Shown(request.budget))
        except KeyboardInterrupt:
            logger.warning("Stopped. The same command goes on where this one stopped.")
            raise typer.Exit(INTERRUPTED_CODE) from None
    _print_front(tables.fronts, tables.runs, config.search.objectives)
    typer.echo(f"Journal and tables: {search_folder(workflow.results, request)}")


def _snakemake_options(profile: str | None, options: list[str]) -> list[str]:
    """Return the options of snakemake, with a profile or an executor among them."""
    if refused := [option for option in options if option.split("=")[0] in REFUSED]:
        raise ConfigError(
            f"{refused[0]} cannot be passed to snakemake here, since the search would not know of it. Write the "
            "settings to a file, and name it by --configfile."
        )
    if any(option.split("=")[0] in CALLED_FOR for option in options):
        return options
    return ["--executor=local" if profile is None else f"--profile={profile}", *options]


class _Shown:  # a Display; naming it as its base would import what is slow to import
    """Shows a live search: a line a round, and on a terminal a bar while a round lasts."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._console = Console(stderr=True)

    @contextmanager
    def round(self, number: int, size: int) -> Iterator[Callable[[int], None]]:
        """Show a round of some size; what is yielded is told how many of its trainings have a result."""
        logger.info("Round %d: %s", number, counted(size, "architecture"))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        bar = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        with bar:
            task = bar.add_task(f"Round {number}, trained", total=size)
            yield lambda done: bar.update(task, completed=done)

    def learned(self, journal: "LiveJournal", run: "SearchRun") -> None:
        """Show how far the search is."""
        failed = len(run.passed_over)
        logger.info(
            "Round %d done: %d of %d evaluations%s, %d on the front",
            journal.rounds,
            len(run.evaluated) + failed,
            self._budget,
            f" ({failed} of them failed)" if failed else "",
            len(run.archive),
        )


def _print_front(fronts: "pd.DataFrame", runs: "pd.DataFrame", objectives: list[str]) -> None:
    """Print the front, and what the search did to find it."""
    from terranas.benchmark.schema import metric_name

    run = runs.iloc[0]
    table = Table(title=f"Front after {counted(int(run['charged']), 'evaluation')}")
    table.add_column("architecture", no_wrap=True)
    for name in objectives:
        table.add_column(metric_name(name), justify="right")
    for row in fronts.sort_values(objectives[0]).to_dict("records"):
        table.add_row(row["architecture"], *(_value(row[name]) for name in objectives))
    Console().print(table)
    failed = f"; {counted(int(run['without_value']), 'training')} failed" if run["without_value"] else ""
    typer.echo(f"Stopped by: {run['stopped_by'].replace('_', ' ')}{failed}.")


def _value(number: float) -> str:
    """Return a value for people: counts in full, others with four digits."""
    return count(number) if number >= 1000 else significant(number, 4)
