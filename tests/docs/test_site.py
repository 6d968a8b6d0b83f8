"""The built site: no warning, no address of a network, everything that is generated is there."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from terranas.config.study import StudyConfig

from .pages import ROOT

pytestmark = pytest.mark.docs

FETCHING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
FOLLOWED = {"canonical", "next", "prev", "alternate"}


class Fetched(HTMLParser):
    """Collects the addresses that a browser would fetch by itself."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag in FETCHING and not FOLLOWED & set((values.get("rel") or "").split()):
            self.addresses.append(values.get(FETCHING[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    # the library of this checkout, whatever is installed; the theme's advertisement is no warning of ours
    variables = os.environ | {"PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=500)
    assert built.returncode == 0, built.stderr[-4000:]
    assert "WARNING" not in built.stderr, built.stderr
    return folder


def test_nothing_is_fetched_from_a_network(site):
    for path in site.rglob("*.html"):
        parser = Fetched()
        parser.feed(path.read_text(encoding="utf-8"))
        assert [address for address in parser.addresses if re.match(r"(https?:)?//", address)] == [], path.name
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", path.read_text(encoding="utf-8")), path.name


def test_every_setting_has_its_row(site):
    page = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    shown = {
        (match[1], match[2])
        for match in re.finditer(r"<h2[^>]*><code>([^<]*)</code>|<td><code>(\w+)</code></td>", page)
    }
    names = {name for _, name in shown if name}

    def keys(model):
        for name, value in model:
            if hasattr(type(value), "model_fields"):
                yield from keys(value)
            else:
                yield name

    assert set(keys(StudyConfig())) <= names


def test_every_schema_and_stage_has_its_section(site):
    tables = (site / "reference" / "tables.html").read_text(encoding="utf-8")
    modules = [path.read_text(encoding="utf-8") for path in (ROOT / "terranas").rglob("*schema.py")]
    declared = [name for text in modules for name in re.findall(r'name="(\w+\.\w+)"', text)]
    assert len(declared) > 20
    assert [name for name in declared if f"<code>{name}</code>" not in tables] == []
    cell = (site / "reference" / "library" / "space.html").read_text(encoding="utf-8")
    assert "terranas.space.cell.Cell" in cell


def test_every_command_has_its_section(site):
    page = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for command in ("terranas cell show", "terranas config check", "terranas campaign resume", "terranas search live"):
        assert f"<code>{command}</code>" in page
