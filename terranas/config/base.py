"""Common base of all configuration sections, and types that several of them use."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of the configuration: unknown keys and silent type changes are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def _in_full(place: str) -> str:
    if place.startswith("~"):
        raise ValueError(f"'{place}' begins with '~', which is not expanded; write the path in full")
    return place


Place = Annotated[str, Field(min_length=1), AfterValidator(_in_full)]
"""Path of a file or folder."""
