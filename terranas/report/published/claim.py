"""What a published claim is, and what terranas finds beside it."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["agrees", "agrees in part", "differs", "contradicted"]
"""How a published value and terranas' own compare."""


@dataclass(frozen=True)
class Claim:
    """A published statement.

    Attributes:
        id: letter of its topic and a number.
        topic: key of :data:`~terranas.report.published.claims.TOPICS`.
        place: document and section, table, figure or file.
        statement: what it says; words in double quotes are the document's own.
        published: the published value with its unit; empty where the statement gives none.
        how: what terranas computes beside it, from what.
        slip: what explains a disagreement, where something does; names the file that shows it.
        needs: what is lacking to compute it; empty where it is computed.
    """

    id: str
    topic: str
    place: str
    statement: str
    published: str
    how: str = ""
    slip: str = ""
    needs: str = ""


@dataclass(frozen=True)
class Finding:
    """What terranas computes beside a claim, in words.

    Attributes:
        ours: the right way.
        verdict: how it compares with what is published.
        words: the verdict in more words; may be empty.
        published_way: computed as it was published, where that differs; empty otherwise.
    """

    ours: str
    verdict: Verdict
    words: str = ""
    published_way: str = ""

    @property
    def agreement(self) -> str:
        """The verdict with its words, in Markdown."""
        return f"**{self.verdict}**: {self.words}" if self.words else f"**{self.verdict}**"


def agrees(same: bool) -> Verdict:
    """Return the verdict on what is equal or not."""
    return "agrees" if same else "differs"
