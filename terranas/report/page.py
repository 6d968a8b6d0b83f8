"""The report's page: what came out of a study."""

from collections.abc import Sequence

from terranas.core.page import Page, Picture, render
from terranas.report.content import StudyResults
from terranas.report.sections import Figures, all_sections, headline, limits

SYNTHETIC_WARNING = (
    "The images of this study are synthetic: numbers show that the workflow works, not how networks perform on "
    "satellite images."
)


def render_page(results: StudyResults, figures: Figures, searches: Sequence[Picture], template: str) -> str:
    """Return the page as HTML.

    Args:
        results: the study's tables.
        figures: PNG files by the name of the file without its ending; those of
            :func:`terranas.report.pictures.picture`.
        searches: figures of the searches with their texts, of which the page shows those of one pair of arms.
        template: the page's Jinja template.

    Raises:
        DataError: a figure is no PNG file.
    """
    page = Page(
        title=results.config["report"]["title"],
        subject=results.benchmark.dataset,
        subtitle=f"A study of neural architectures on {results.benchmark.dataset}",
        warning=SYNTHETIC_WARNING if results.synthetic else "",
        headline=headline(results),
        limits=limits(results),
        sections=all_sections(results, figures, searches),
    )
    return render(page, template, results.software["terranas"])
