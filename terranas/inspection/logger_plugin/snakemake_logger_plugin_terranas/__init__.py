"""A logger plugin of Snakemake that writes the jobs of a dry run to a file: one JSON object a line.

Snakemake's interface for logger plugins is the documented way by which programs learn of its jobs and their reasons;
its printed text leaves files out where a rule has a message.
"""

import json
from dataclasses import dataclass, field
from logging import LogRecord
from typing import TextIO

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

KEPT = ("rule_name", "input", "output", "log", "wildcards", "reason")


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """Options of the plugin; Snakemake makes ``--logger-terranas-file`` of the field."""

    file: str | None = field(
        default=None, metadata={"help": "File to write the jobs to.", "required": True, "type": str}
    )


class LogHandler(LogHandlerBase):
    """Writes rule, files, wildcards and reason of every job that is announced."""

    def __post_init__(self) -> None:
        """Open the file."""
        assert isinstance(self.settings, LogHandlerSettings)
        assert self.settings.file is not None
        self._stream: TextIO = open(self.settings.file, "w", encoding="utf-8")  # noqa: PTH123, SIM115

    def emit(self, record: LogRecord) -> None:
        """Write a job; other records are none of this plugin's."""
        if getattr(record, "event", None) == LogEvent.JOB_INFO:
            facts = {name: getattr(record, name, None) for name in KEPT}
            self._stream.write(json.dumps(facts, default=str) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """Leave standard error to Snakemake's own messages."""
        return False

    @property
    def writes_to_file(self) -> bool:
        """Say no, since Snakemake would name the file to the user as its log."""
        return False

    @property
    def has_filter(self) -> bool:
        """Refuse Snakemake's filter, which hides jobs from a call that is to be quiet."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Take no text, only facts."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """Ask for no graph of rules."""
        return False
