"""``terranas campaign``: where a study's trainings stand, going on after snakemake was killed, and stopping it all."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from terranas.cli_frame import DEFAULT_CONFIG, ConfigFile, Json, SnakemakeOptions, examples, print_json
from terranas.config import read_config
from terranas.core.logs import configure_logging, format_duration
from terranas.data.staging import clean
from terranas.training.campaign import STATES, Campaign
from terranas.training.campaign_resume import Study, describe, resume, run_snakemake, stop
from terranas.training.campaign_run import MainProcess, announced

campaign_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Look after the trainings of a study that runs for days."
)

Gone = Annotated[
    bool,
    typer.Option("--gone", help="Snakemake no longer runs on the other machine that campaign/run.json names."),
]
FAILURES_SHOWN = 5


def study_of(configfile: Path) -> Study:
    """Return the study of a configuration."""
    return Study.of_settings(read_config(configfile).model_dump(mode="json"), configfile)


@campaign_app.command(
    "status",
    epilog=examples("terranas campaign status --configfile config/paper.yaml", "terranas campaign status --json"),
)
def campaign_status(configfile: ConfigFile = DEFAULT_CONFIG, json: Json = False) -> None:
    """Say how many trainings are in which state, what runs and what failed.

    `terranas campaign report` writes the same and much more as a page.

    Keys of --json: snakemake (process, gone: null where it cannot be seen), queue_known, states (trainings by state),
    seconds, wasted_seconds, trainings (hash, state, outcome, reason, epochs, seconds, left, log_tail).
    """
    study = study_of(configfile)
    main, campaign = announced(study.results), study.look()
    if json:
        print_json(_facts(main, campaign))
        return
    if main is None:
        typer.echo("No snakemake runs this study.")
    else:
        words = {True: "is gone; `terranas campaign resume` goes on", False: "runs", None: "cannot be seen from here"}
        typer.echo(f"{main} {words[main.process.is_gone()]}.")
    if not campaign.queue_known:
        typer.echo("Slurm does not answer or is not there; what waits in its queue is not known.")
    typer.echo(f"{len(campaign.trainings)} trainings:")
    for state, meaning in STATES.items():
        if found := campaign.of(state):
            typer.echo(f"  {len(found):5d} {state:9s} {meaning}")
    for training in campaign.of("running"):
        typer.echo(f"running {describe(training)}")
    troubled = campaign.of("failed", "stopped")
    for training in troubled[:FAILURES_SHOWN]:
        typer.echo(f"{training.state} {training.hash}: {training.reason}")
        for line in training.log_tail[-3:]:
            typer.echo(f"    {line}")
    if len(troubled) > FAILURES_SHOWN:
        typer.echo(f"... and {len(troubled) - FAILURES_SHOWN} more; the campaign report lists all")
    wasted = sum(training.wasted for training in campaign.trainings)
    spent = sum(training.seconds for training in campaign.trainings)
    typer.echo(f"time spent {format_duration(spent)}, of which {format_duration(wasted)} was lost")


def _facts(main: MainProcess | None, campaign: Campaign) -> dict[str, Any]:
    shown = ("hash", "state", "outcome", "reason", "epochs", "seconds", "left")
    return {
        "snakemake": {"process": str(main) if main else None, "gone": main.process.is_gone() if main else None},
        "queue_known": campaign.queue_known,
        "states": {state: len(campaign.of(state)) for state in STATES},
        "seconds": sum(training.seconds for training in campaign.trainings),
        "wasted_seconds": sum(training.wasted for training in campaign.trainings),
        "trainings": [
            {name: getattr(training, name) for name in shown} | {"log_tail": list(training.log_tail)}
            for training in campaign.trainings
        ],
    }


@campaign_app.command("report", epilog=examples("terranas campaign report --configfile config/paper.yaml"))
def campaign_report(
    options: SnakemakeOptions = None,
    configfile: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Write the campaign's page and table, also before the study begins and while snakemake runs it.

    The same as `snakemake campaign_report --nolock`. Without --nolock, a second snakemake removes the lock of the first
    when it ends.
    """
    call = [sys.executable, "-m", "snakemake", "campaign_report", "--nolock", f"--configfile={configfile}"]
    code = run_snakemake([*call, "--quiet", "rules", "progress", "host", *(options or ())])
    page = Path(read_config(configfile).results_dir) / "campaign" / "index.html"
    if not code and page.is_file():
        typer.echo(f"The campaign's page: {page}")
    raise typer.Exit(code)


@campaign_app.command(
    "resume", epilog=examples("terranas campaign resume --configfile config/paper.yaml -- --jobs 200")
)
def campaign_resume(
    options: Annotated[
        list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Options of snakemake, such as --jobs 20.")
    ] = None,
    configfile: ConfigFile = DEFAULT_CONFIG,
    target: Annotated[
        list[str] | None, typer.Option("--target", help="What to make, such as training; default: everything.")
    ] = None,
    cancel_running: Annotated[
        bool, typer.Option("--cancel-running", help="Cancel trainings that still run, instead of waiting for them.")
    ] = False,
    gone: Gone = False,
) -> None:
    """Go on after snakemake was killed: adopt or cancel the jobs it left, unlock, and run it again.

    Uses the profile slurm unless the options name another profile or executor.
    """
    configure_logging()
    code = resume(study_of(configfile), options or (), targets=target or (), cancel_running=cancel_running, gone=gone)
    raise typer.Exit(code)


@campaign_app.command("cancel", epilog=examples("terranas campaign cancel --configfile config/paper.yaml"))
def campaign_cancel(configfile: ConfigFile = DEFAULT_CONFIG, gone: Gone = False) -> None:
    """Stop the study's snakemake and cancel all its jobs; `resume` goes on later from the last checkpoints."""
    configure_logging()
    typer.echo(f"Cancelled {stop(study_of(configfile), gone=gone)} jobs.")


@campaign_app.command("clean", epilog=examples("terranas campaign clean --configfile config/paper.yaml"))
def campaign_clean(configfile: ConfigFile = DEFAULT_CONFIG) -> None:
    """Remove the arrays that trainings copied to this machine (campaign.staging), unless one still uses them."""
    place = read_config(configfile).campaign.staging
    if place is None:
        typer.echo("campaign.staging is null: nothing is copied.")
    else:
        typer.echo(f"{clean(place) / 1e6:,.1f} MB became free below {place}.")
