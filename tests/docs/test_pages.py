"""Every command, program, file and setting that the pages show, executed."""

import pytest
import yaml

from terranas.config import load_config
from terranas.config.study import StudyConfig

from .pages import ROOT, all_pages, blocks, inline_commands
from .stand_ins import REPLACED, STAND_INS, stand_in

pytestmark = pytest.mark.docs

SHOWN_ONLY = ("", "text", "csv")
"""Languages of blocks that hold output or data."""


_SEEN_DRY: set[str] = set()  # dry runs that stood in already; several pages show the same


def runs(checkout, command):
    """Run a command of a page, or what stands in for it."""
    instead = stand_in(command)
    if instead is None:
        checkout.run(command)
    elif instead.run not in _SEEN_DRY:
        checkout.run(instead.run)
        if " -n" in instead.run:
            _SEEN_DRY.add(instead.run)


def owner(command):
    """Return the page that runs a command of running text: the first one that shows it."""
    return next(page for page in all_pages() if command in inline_commands(page))


def valid_settings(text):
    """Check a YAML block without a file name: settings of a study, or of a profile of snakemake."""
    content = yaml.safe_load(text)
    if set(content) <= set(StudyConfig.model_fields):
        load_config(content)
        return
    profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())
    assert set(content) <= set(profile), f"neither settings of a study nor of slurm/config.yaml: {sorted(content)}"
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    assert all(f"\nrule {name}:" in rules for name in content.get("set-resources", {}))


@pytest.mark.parametrize("page", all_pages())
def test_what_a_page_shows_works(page, checkout):
    for block in blocks(page):
        if block.title:
            checkout.write(block.title, block.text)
        elif block.language == "python":
            code = block.text
            for old, new in REPLACED.get(page, ()):
                assert old in code, f"{block.place} no longer says {old}"
                code = code.replace(old, new)
            checkout.write("shown.py", code)
            checkout.run("python shown.py")
        elif block.language == "yaml":
            valid_settings(block.text)
        elif block.commands:
            for command in block.commands:
                runs(checkout, command)
        else:
            assert block.language in SHOWN_ONLY, f"{block.place}: nothing is known of blocks of '{block.language}'"
    for command in inline_commands(page):
        if owner(command) == page:
            runs(checkout, command)


def test_every_stand_in_is_for_a_command_that_is_shown():
    shown = {command for page in all_pages() for command in inline_commands(page)}
    shown |= {command for page in all_pages() for block in blocks(page) for command in block.commands}
    assert sorted(set(STAND_INS) - shown) == []
    assert set(REPLACED) <= set(all_pages())
