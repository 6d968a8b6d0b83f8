"""The page of all settings, from what `terranas config explain` says of each."""

import json
from collections.abc import Iterator

from terranas.config.explain import SectionFacts, SettingFacts, explain_key, sections
from terranas.config.load import known_keys

INTRODUCTION = """\
# Settings

All settings of a study, generated from the models in `terranas/config`. A study's file names only those that differ;
a key that is not here is refused, and the message names the nearest one that is. `config/config.yaml` holds the same
tree with its defaults, `config/schema.json` as a JSON schema for editors.
"""


def settings_page() -> str:
    """Return the page in Markdown: one section a part of the tree, one row a key."""
    lines = [INTRODUCTION, *_table("")]
    for section in sections():
        about = explain_key(section)
        assert isinstance(about, SectionFacts)
        lines += [f"\n## `{section}`\n", f"{about.meaning}\n", *_table(section)]
    return "\n".join(lines) + "\n"


def _table(section: str) -> Iterator[str]:
    """Yield the lines of the table of a section's own keys, nothing where it has sections only."""
    keys = [key for key in known_keys() if key.rpartition(".")[0] == section]
    if keys:
        yield "| key | type | default | meaning |\n|---|---|---|---|"
    for key in keys:
        about = explain_key(key)
        assert isinstance(about, SettingFacts)
        default = _escaped(json.dumps(about.default, ensure_ascii=False))
        yield f"| `{key.rpartition('.')[2]}` | {_kind(about)} | `{default}` | {_escaped(about.meaning)} |"


def _kind(about: SettingFacts) -> str:
    """Return type and allowed values of a key, in words."""
    kind = ", ".join([about.type, *about.bounds])
    return f"{kind}: {', '.join(f'`{choice}`' for choice in about.allowed)}" if about.allowed else kind


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
