"""The page: one HTML file that needs no other file and no network."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from terranas.report.content import StudyResults
from terranas.report.sections import Figures, all_sections, headline, limits

SYNTHETIC_WARNING = (
    "The images of this study are synthetic: numbers show that the workflow works, not how networks perform on "
    "satellite images."
)


def page_template() -> str:
    """Return the Jinja template that stands beside this module."""
    return (Path(__file__).parent / "templates" / "page.html").read_text(encoding="utf-8")


def render_page(results: StudyResults, figures: Figures, template: str) -> str:
    """Return the page as HTML.

    Every text is escaped, whatever names the study, its images or its classes bear. Equal arguments give equal pages.

    Args:
        results: the study's tables.
        figures: PNG files by the name of the file without its ending; those of
            :func:`terranas.report.pictures.picture`.
        template: the page's Jinja template.

    Raises:
        DataError: a figure is no PNG file.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        title=results.config["report"]["title"],
        dataset=results.benchmark.dataset,
        warning=SYNTHETIC_WARNING if results.synthetic else "",
        headline=headline(results),
        limits=limits(results),
        sections=all_sections(results, figures),
        version=results.software["terranas"],
    )
