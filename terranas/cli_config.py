"""``terranas config``: checking a configuration, explaining settings, writing the generated files."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terranas.cli_frame import (
    DEFAULT_CONFIG,
    ERROR,
    Json,
    SnakemakeOptions,
    complete_key,
    examples,
    note,
    print_json,
)
from terranas.config import read_config
from terranas.core.errors import ConfigError

if TYPE_CHECKING:
    from terranas.config.explain import SettingFacts

config_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Check and explain a study's configuration."
)

_SHOWN_LETTERS = 60


@config_app.command(
    "check", epilog=examples("terranas config check config/paper.yaml", "terranas config check my_study.yaml --json")
)
def check_config(
    configfile: Annotated[Path, typer.Argument(help="File to check.")] = DEFAULT_CONFIG, json: Json = False
) -> None:
    """Check a configuration file and say where its results go; a wrong one ends with exit code 1.

    Keys of --json: valid, configfile, results_dir (null where it is not valid), problem (what is wrong, or empty).
    """
    from terranas.surrogates.regressors import check_parameters

    try:
        study = read_config(configfile)
        check_parameters(study.surrogates.regressor, study.surrogates.parameters)
    except ConfigError as error:
        if not json:
            raise
        print_json({"valid": False, "configfile": str(configfile), "results_dir": None, "problem": str(error)})
        raise typer.Exit(ERROR) from error
    if json:
        print_json({"valid": True, "configfile": str(configfile), "results_dir": study.results_dir, "problem": ""})
    else:
        typer.echo(f"{configfile} is valid; results go to {study.results_dir}.")


@config_app.command("write", epilog=examples("terranas config write"))
def write_config(folder: Annotated[Path, typer.Argument(help="Folder to write to.")] = Path("config")) -> None:
    """Write config.yaml and schema.json from the models."""
    from terranas.config.generate import write_generated

    write_generated(folder)
    typer.echo(f"Wrote {folder / 'config.yaml'} and {folder / 'schema.json'}.")


@config_app.command(
    "explain",
    epilog=examples(
        "terranas config explain search",
        "terranas config explain search.seeds --configfile config/paper.yaml",
        "terranas config explain search.seeds --value 10",
    ),
)
def explain_setting(
    key: Annotated[
        str, typer.Argument(help="A setting or section, such as search.seeds.", autocompletion=complete_key)
    ],
    options: SnakemakeOptions = None,
    configfile: Annotated[
        Path | None, typer.Option("--configfile", help="Show the values in this configuration.")
    ] = None,
    value: Annotated[
        str | None,
        typer.Option("--value", help="Say what would rerun in the study if the setting had this value (by dry runs)."),
    ] = None,
    json: Json = False,
) -> None:
    """Explain a setting: what it decides, its type, what it may be, its default and value. A section lists its keys.

    With --value, two dry runs tell which rules would run that would not run anyway.

    Keys of --json: key, meaning; of a setting type, allowed (values, if they can be listed), bounds, default, value
    (without --configfile the default), reruns (with --value: jobs by rule; else null); of a section settings (a list of
    the same without reruns).
    """
    from terranas.config.explain import SectionFacts, explain_key

    study = None if configfile is None else read_config(configfile)
    found = explain_key(key, study)
    if isinstance(found, SectionFacts):
        if value is not None:
            raise ConfigError(
                f"'{key}' is a section; --value needs one of its settings, such as {found.settings[0].key}."
            )
        if json:
            print_json(found.facts())
            return
        typer.echo(f"{found.key}: {found.meaning}")
        width = max(len(setting.key) for setting in found.settings)
        for setting in found.settings:
            typer.echo(f"  {setting.key:{width}s}  {_short(setting.value)}")
        return
    reruns = None if value is None else _reruns(key, value, configfile or DEFAULT_CONFIG, options or [])
    if json:
        print_json(found.facts() | {"reruns": reruns})
    else:
        _print_setting(found, configfile)
        if reruns is not None:
            _print_reruns(reruns, value)


def _print_setting(found: "SettingFacts", configfile: Path | None) -> None:
    typer.echo(found.key)
    typer.echo(f"  {found.meaning}")
    typer.echo(f"  type     {', '.join([found.type, *found.bounds])}")
    if found.allowed:
        typer.echo(f"  allowed  {', '.join(map(str, found.allowed))}")
    typer.echo(f"  default  {_yaml(found.default)}")
    if configfile is not None:
        typer.echo(f"  value    {_yaml(found.value)} ({configfile})")


def _print_reruns(reruns: dict[str, int], value: str | None) -> None:
    if not reruns:
        typer.echo(f"  With {value}, nothing would run that would not run anyway.")
        return
    typer.echo(f"  With {value}, these would run that would not run anyway:")
    for rule, jobs in reruns.items():
        typer.echo(f"    {jobs:5d} {rule}")


def _reruns(key: str, text: str, configfile: Path, options: list[str]) -> dict[str, int]:
    """Return the jobs by rule that would run with another value of a setting, and do not run anyway."""
    import yaml

    from terranas.config.load import load_config
    from terranas.inspection.workflow import StudyCall, merged

    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--value {text} is no valid YAML: {error}") from error
    call = StudyCall.of(configfile, options)
    section, dot, rest = key.partition(".")
    for part in reversed(rest.split(".") if dot else []):
        content = {part: content}
    settings = call.config.model_dump(mode="json")
    load_config(merged(settings, {section: content}))
    flow = yaml.safe_dump(content, default_flow_style=True, width=10_000).removesuffix("...\n").strip()
    note("Asking snakemake twice what there is to do, which takes some seconds ...")
    before = Counter(job.rule for job in call.planned())
    after = Counter(job.rule for job in call.planned(settings=[f"{section}={flow}"]))
    return dict(after - before)


def _yaml(value: Any) -> str:
    from terranas.config.generate import scalar

    return scalar(value)


def _short(value: Any) -> str:
    from terranas.core.formats import shortened

    return shortened(_yaml(value), _SHOWN_LETTERS)
