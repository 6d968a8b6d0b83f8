"""The page of the ``terranas`` command, from its own help."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from terranas.cli import app
from terranas.cli_frame import EXIT_CODES

INTRODUCTION = f"""\
# The `terranas` command

What people do outside the workflow, generated from the command's own help. Each command also explains itself with
`--help`; what is wrong and what to do about it stands on the standard error. `terranas --install-completion` has the
shell complete commands, settings, stages and metrics. Options of snakemake follow `--`; `--json` prints one document
for other programs.

{EXIT_CODES}
"""

HEADS = ("Example", "Examples")


def commands_page() -> str:
    """Return the page in Markdown: a section a command, in the order of the help."""
    root = typer.main.get_command(app)
    return "\n".join([INTRODUCTION, *_sections(root, "terranas", None)]) + "\n"


def _sections(command: Any, name: str, parent: Any) -> Iterator[str]:
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    below = getattr(command, "commands", {})
    if not below:
        yield f"\n## `{name}`\n"
        yield f"```text\n{' '.join([name, *command.collect_usage_pieces(context)])}\n```\n"
        yield _text(command.help or "")
        if examples := [line.strip() for line in (command.epilog or "").splitlines() if line.strip(" \b")]:
            yield "\n```sh\n" + "\n".join(line for line in examples if line.rstrip(":") not in HEADS) + "\n```\n"
        yield from _parameters(command, context)
    for word, one in below.items():
        if not one.hidden:
            yield from _sections(one, f"{name} {word}", context)


def _text(help_text: str) -> str:
    """Return a help text with its examples set as code, each on a line of its own."""
    lines = []
    for line in inspect.cleandoc(help_text).replace("\b", "").splitlines():
        word, colon, example = line.strip().partition(": ")
        if word in HEADS and colon:
            lines.append(f"\n{word}: `{example}`\n")
        else:
            lines.append(line.strip())
    return "\n".join(lines).replace("<", "&lt;")


def _parameters(command: Any, context: Any) -> Iterator[str]:
    records = [(one, one.get_help_record(context)) for one in command.get_params(context)]
    shown = [record for one, record in records if record and "--help" not in one.opts]
    if shown:
        yield "\n| argument or option | meaning |\n|---|---|"
    for names, meaning in shown:
        code = names.replace("|", "\\|").replace("\n", " ")
        words = meaning.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
        yield f"| `{code}` | {words} |"
