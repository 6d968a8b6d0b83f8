"""``terranas clean``: removing the results of one stage."""

from typing import Annotated

import typer

from terranas.cli_frame import DEFAULT_CONFIG, ConfigFile, SnakemakeOptions, complete_stage, examples, note
from terranas.core.errors import TerranasError

CLEAN_EXAMPLES = examples(
    "terranas clean comparison --dry-run",
    "terranas clean search --configfile config/eurosat.yaml",
    "terranas clean training --trainings",
)


def clean(
    stage: Annotated[str, typer.Argument(help="The stage, such as landscape.", autocompletion=complete_stage)],
    options: SnakemakeOptions = None,
    configfile: ConfigFile = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be removed.")] = False,
    trainings: Annotated[
        bool, typer.Option("--trainings", help="Remove trainings too; needed for the stage training.")
    ] = False,
) -> None:
    """Remove the results, logs and run times of one stage of a study; the next run makes them again.

    Says first what goes, its size, and which stages depend on it, and asks. Nothing outside the study's results folder
    is touched, links are not followed, and nothing is removed while snakemake runs the study. Failures accepted by hand
    and live searches stay.
    """
    from terranas.inspection.removal import plan_removal
    from terranas.inspection.workflow import StudyCall

    call = StudyCall.of(configfile, options or [])
    removal = plan_removal(call, stage)
    if not removal.paths:
        typer.echo(f"There is nothing of the stage {stage} in {call.results}.")
        return
    for path in removal.paths:
        typer.echo(str(path.relative_to(call.folder) if path.is_relative_to(call.folder) else path))
    typer.echo(f"{removal.files:,} files, {removal.size / 1e6:,.1f} MB")
    for name, why in removal.kept.items():
        typer.echo(f"stays: {name} ({why})")
    if removal.dependents:
        note(f"These stages depend on it and rerun in part or in whole: {', '.join(removal.dependents)}.")
    if dry_run:
        return
    if stage == "training" and not trainings:
        raise TerranasError(
            "Trainings are dear, checkpoints go with them, and nothing brings them back. To remove them all the same, "
            "say --trainings."
        )
    if not yes:
        typer.confirm(f"Remove this from {call.results}?", abort=True)
    removal.carry_out()
    typer.echo(f"Removed; `snakemake --configfile {configfile}` makes it again.")
