"""What all pages of the report share: one frame around each, one folder of styles, scripts and libraries."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from terranas.core.page import TEMPLATES as SHARED
from terranas.core.page import page_digest

HERE = Path(__file__).parent
ASSETS = HERE / "assets"
TEMPLATES = HERE / "templates"


@dataclass(frozen=True)
class PageLink:
    """A page in the list of pages.

    Attributes:
        file: name of its file, such as ``landscape.html``.
        title: what the list calls it.
        group: heading it stands under in the list; empty for the start page.
        about: what it holds, in a few words for the start page.
    """

    file: str
    title: str
    group: str = ""
    about: str = ""


@dataclass(frozen=True)
class Shell:
    """The frame of a report's pages.

    Attributes:
        title: of the study.
        warning: what must be read before anything else; empty where there is no such thing.
        pages: all pages in the order of the list.
        version: of terranas.
    """

    title: str
    warning: str
    pages: Sequence[PageLink]
    version: str

    @property
    def groups(self) -> list[tuple[str, list[PageLink]]]:
        """The pages by group, in their order."""
        found: dict[str, list[PageLink]] = {}
        for page in self.pages:
            found.setdefault(page.group, []).append(page)
        return list(found.items())

    def link(self, file: str) -> PageLink:
        """Return the link of a page by its file."""
        return next(page for page in self.pages if page.file == file)


def render_template(name: str, shell: Shell, file: str, **content: Any) -> str:
    """Return a page as HTML; every text is escaped, whatever names the study, its images or its classes bear.

    Args:
        name: template, which extends ``base.html``.
        shell: the frame.
        file: file the page is written to.
        content: what the template shows.
    """
    return _environment().get_template(name).render(shell=shell, here=shell.link(file), **content)


def copy_assets(site: str | Path) -> None:
    """Copy styles, scripts and libraries beside the pages, into ``assets``."""
    target = Path(site) / "assets"
    shutil.copytree(ASSETS, target, ignore=shutil.ignore_patterns("vendored.json"), dirs_exist_ok=True)
    shutil.copyfile(SHARED / "page.css", target / "page.css")


def shell_digest() -> str:
    """Return a SHA-256 over all templates and assets: pages change when one of them does."""
    digest = hashlib.sha256(page_digest().encode())
    for path in sorted(path for folder in (ASSETS, TEMPLATES) for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(HERE)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["embedded"] = embedded
    return environment


def embedded(content: Any) -> Markup:
    """Return JSON that may stand inside a ``<script type="application/json">``: nothing in it can end the element.

    Raises:
        ValueError: a number is NaN or infinite, which JSON cannot hold.
    """
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
