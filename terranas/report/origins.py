"""Where a figure or table comes from: the rule, its parameters, its inputs with checksums, and what the job took."""

import re
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from terranas.core.files import sha256_file
from terranas.core.formats import counted, scaled, shortened
from terranas.core.logs import format_duration
from terranas.core.records import Record, Resources, read_record, read_resources

LARGEST_HASHED = 256 * 1024 * 1024
"""Bytes of a file whose checksum is computed for a page."""

INPUTS_SHOWN = 12
PARAMS_SHOWN = 20
LONGEST_PARAM = 200

_FINGERPRINT = re.compile(r"'([0-9a-f]{16})'")


@dataclass(frozen=True)
class Origin:
    """Where a figure or table comes from.

    Attributes:
        file: path of the file that it shows.
        sha256: checksum of that file, or why there is none.
        facts: what is known of the job that made the file, each with its name; empty where nothing is known.
        inputs: path and checksum (or why there is none) of the job's first inputs.
        further: what is said of the inputs that are not listed; empty where all are.
    """

    file: str
    sha256: str
    facts: tuple[tuple[str, str], ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    further: str = ""


@dataclass
class Origins:
    """Origins of files, each looked up once.

    Attributes:
        metadata: Snakemake's folder ``.snakemake/metadata``.
        known: checksums that are known already, by path.
        names: parameters as Python expressions by their name, by rule; records hold the expressions alone.
    """

    metadata: Path
    known: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _checksums: dict[str, str] = field(default_factory=dict, init=False)
    _found: dict[str, Origin] = field(default_factory=dict, init=False)

    def of(self, file: str) -> Origin:
        """Return the origin of a file, given as the rules spell its path."""
        if file not in self._found:
            self._found[file] = self._look_up(file)
        return self._found[file]

    def _look_up(self, file: str) -> Origin:
        record = read_record(self.metadata, file)
        if record is None:
            return Origin(file, self._checksum(file))
        shown = record.inputs[:INPUTS_SHOWN]
        rest = len(record.inputs) - len(shown)
        return Origin(
            file,
            self._checksum(file),
            _facts(record, self.names.get(record.rule, {})),
            tuple((path, record.checksums.get(path) or self._checksum(path)) for path in shown),
            f"and {counted(rest, 'further file')}" if rest else "",
        )

    def _checksum(self, path: str) -> str:
        if path in self.known:
            return self.known[path]
        if path not in self._checksums:
            self._checksums[path] = _sha256(Path(path))
        return self._checksums[path]


def runtimes_path(record: Record) -> Path | None:
    """Return where a job's benchmark file stands: rules name it as its log file, below another folder."""
    parts = Path(record.logs[0]).parts if record.logs else ()
    if "logs" not in parts:
        return None
    place = len(parts) - 1 - parts[::-1].index("logs")
    return Path(*parts[:place], "runtimes", *parts[place + 1 :]).with_suffix(".tsv")


def resources_of(record: Record) -> Resources | None:
    """Return what a job took; None where nothing says so."""
    path = runtimes_path(record)
    return None if path is None else read_resources(path)


def _facts(record: Record, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    codes = [match[1] for text in record.params if (match := _FINGERPRINT.fullmatch(text))]
    params = [text for text in record.params if not _FINGERPRINT.fullmatch(text)]
    facts = [("Rule", record.rule)]
    if codes:
        facts.append(("Code (fingerprint)", ", ".join(codes)))
    facts += [(_called(text, names), shortened(text, LONGEST_PARAM)) for text in params[:PARAMS_SHOWN]]
    if len(params) > PARAMS_SHOWN:
        facts.append(("Parameters", f"and {len(params) - PARAMS_SHOWN} more"))
    used = resources_of(record)
    if used is not None:
        facts.append(("Wall time", format_duration(used.wall_seconds)))
        if used.cpu_seconds is not None:
            facts.append(("CPU time", format_duration(used.cpu_seconds)))
        if used.memory_mb is not None:
            facts.append(("Most memory", scaled(used.memory_mb * 2**20, "B")))
    if record.ended is not None and (made := _date(record.ended)):
        facts.append(("Made", made))
    return tuple(facts)


def _called(text: str, names: Mapping[str, str]) -> str:
    """Return what a parameter is called; several names where parameters of the rule have equal values."""
    found = [name for name, expression in names.items() if expression == text]
    return f"Parameter {' or '.join(found)}" if found else "Parameter"


def _date(seconds: float) -> str:
    """Return the minute that is so many seconds after 1970; empty for what no calendar holds."""
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (OverflowError, OSError, ValueError):
        return ""


def _sha256(path: Path) -> str:
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            return "a folder"
        if not stat.S_ISREG(about.st_mode):  # reading a pipe or a device may never end
            return "no regular file"
        size = about.st_size
        return sha256_file(path) if size <= LARGEST_HASHED else f"not computed: {scaled(size, 'B')}"
    except (OSError, ValueError):  # a path that no file can have is a ValueError
        return "not there any more"
