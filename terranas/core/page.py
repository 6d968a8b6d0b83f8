"""Pages for people: one HTML file that needs no other file and no network, and what it is made of."""

import base64
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from terranas import __version__
from terranas.core.errors import DataError

TEMPLATES = Path(__file__).parent / "templates"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Head:
    """Head of a table's column.

    Attributes:
        text: what stands in the head.
        kind: ``number`` columns are set flush right, ``text`` columns flush left.
    """

    text: str
    kind: Literal["text", "number"] = "number"


@dataclass(frozen=True)
class Table:
    """A table for people; the first column names the row.

    Attributes:
        caption: what the table shows, in a sentence or two.
        heads: heads of the columns.
        rows: entries, one sequence a row; ``Markup`` entries are drawings.
        folded: what the button says that unfolds the table; empty for a table that is always shown.
        sources: paths of the files that the entries come from; empty where they are not known.
    """

    kind: ClassVar[str] = "table"

    caption: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[str | Markup]]
    folded: str = ""
    sources: Sequence[str] = ()


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        name: name of the file without its ending.
        png: content of the PNG file.
        alt: what is seen, with numbers, for those who do not see it.
        caption: what is shown and how it was computed.
        source: path of the file it comes from: its own, or that of the numbers it was drawn from; empty where it is
            not known.

    Raises:
        DataError: the content is no PNG file.
    """

    kind: ClassVar[str] = "picture"

    name: str
    png: bytes = field(repr=False)
    alt: str
    caption: str
    source: str = ""

    def __post_init__(self) -> None:
        if not self.png.startswith(PNG_SIGNATURE) or len(self.png) < 24 or 0 in self.size:
            raise DataError(
                f"The figure '{self.name}' is no PNG file (it starts with {self.png[:8]!r}). Remove it and run again."
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the file's header (PNG specification, section 11.2.1)."""
        width, height = struct.unpack(">II", self.png[16:24])
        return int(width), int(height)

    @property
    def uri(self) -> str:
        """The file as an address that carries its own content, so that the page needs no other file."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclass(frozen=True)
class Listing:
    """Text to be shown as it is: commands, files.

    Attributes:
        text: the text.
        folded: what the button says that unfolds it; empty for a text that is always shown.
    """

    kind: ClassVar[str] = "listing"

    text: str
    folded: str = ""


Block = Table | Picture | Listing | Markup
"""What a section is made of; ``Markup`` is drawn by the library itself."""


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        name: identifier, used as anchor.
        title: heading.
        sentences: what is to be said first.
        blocks: tables, figures, listings and legends in their order.
    """

    name: str
    title: str
    sentences: Sequence[str]
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: its heading.
        subject: what it is about, for the window's title.
        subtitle: line below the heading.
        warning: what must be read before anything else; empty where there is no such thing.
        headline: the few numbers that stand first, each with what it is.
        limits: sentences on what limits the numbers.
        sections: all that follows.
    """

    title: str
    subject: str
    subtitle: str
    headline: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    warning: str = ""
    limits: Sequence[str] = ()


def page_template() -> str:
    """Return the Jinja template that stands beside this module."""
    return (TEMPLATES / "page.html").read_text(encoding="utf-8")


def page_digest() -> str:
    """Return a SHA-256 over the templates beside this module: pages change when one of them does."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(TEMPLATES.iterdir()))).hexdigest()


def render(page: Page, template: str, version: str = __version__) -> str:
    """Return the page as HTML.

    Every text is escaped, whatever names the study, its images or its classes bear. Equal arguments give equal pages.

    Args:
        page: its content.
        template: the Jinja template, :func:`page_template`.
        version: version of terranas that the page's numbers come from.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(template).render(page=page, version=version)
