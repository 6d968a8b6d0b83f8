"""Common base of all configuration sections."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the configuration: unknown keys and silent type changes are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)
