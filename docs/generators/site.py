"""mkdocs hook: the generated reference, pages that live beside their code, and links that hold in both places."""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from commands_page import commands_page
from library_pages import STAGES, library_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from notebook_page import notebook_page
from settings_page import settings_page
from tables_page import tables_page

ROOT = Path(__file__).resolve().parents[2]

# pages that stand outside docs/, where people look for them, and their places in the site
ELSEWHERE = {
    "CONTRIBUTING.md": "contributing.md",
    "slurm/README.md": "how-to/slurm-profile.md",
    "benchmarks/README.md": "reference/benchmarks.md",
    "docs/notebook.ipynb": "reference/notebook.md",
}
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and those that stand outside docs/."""
    pages = {
        "reference/settings.md": settings_page(),
        "reference/tables.md": tables_page(),
        "reference/commands.md": commands_page(),
        "reference/notebook.md": notebook_page(),
    }
    pages |= {f"reference/library/{stage}.md": library_page(stage) for stage in STAGES}
    pages |= {
        place: (ROOT / source).read_text(encoding="utf-8")
        for source, place in ELSEWHERE.items()
        if source.endswith(".md")
    }
    for place, text in pages.items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: MkDocsConfig) -> str:
    """Turn links that hold in the repository into links that hold in the site."""
    places = {place: source for source, place in ELSEWHERE.items()}
    here = page.file.src_uri
    source = places.get(here, f"docs/{here}")

    def mended(match: re.Match[str]) -> str:
        target = normpath(str(PurePosixPath(source).parent / match[1]))
        place = ELSEWHERE.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else None)
        if here.startswith("reference/") and here not in places:
            return match[0]  # generated: its links are the site's own
        if place is None or files.get_file_from_path(place) is None:
            return match[0]
        return f"]({relpath(place, str(PurePosixPath(here).parent))}{match[2] or ''})"

    return LINK.sub(mended, markdown)
