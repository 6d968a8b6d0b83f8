"""Jobs that failed, as Snakemake's own logs of its calls tell."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

LOGS_READ = 20
"""Newest logs that are looked through; each snakemake call writes one."""
BYTES_READ = 20_000_000

_TIME = re.compile(r"\[(\w{3} \w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})\]")
_ERROR = re.compile(r"Error in rule (\w+):")
_OUTPUT = re.compile(r"    output: (.+)")


@dataclass(frozen=True)
class Failure:
    """The last failed attempt at a job.

    Attributes:
        rule: its rule.
        time: Unix time, in whole seconds.
        log: Snakemake's log that tells of it.
    """

    rule: str
    time: float
    log: Path


def read_failures(folder: Path) -> dict[str, Failure]:
    """Return the last failure of each job that failed, by the job's first output.

    Args:
        folder: Snakemake's logs of its calls, ``.snakemake/log``.
    """
    found: dict[str, Failure] = {}
    # names begin with the time
    for path in sorted(folder.glob("*.snakemake.log"))[-LOGS_READ:]:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(BYTES_READ).splitlines()
        except OSError:  # somebody tidied up
            continue
        found |= _failures(lines, path)
    return found


def _failures(lines: list[str], path: Path) -> dict[str, Failure]:
    found = {}
    moment, rule = 0.0, ""
    for line in lines:
        if stamp := _TIME.fullmatch(line):
            moment, rule = _unix(stamp[1]), ""
        elif error := _ERROR.fullmatch(line):
            rule = error[1]
        elif rule and (output := _OUTPUT.fullmatch(line)):
            found[output[1].split(", ")[0]] = Failure(rule, moment, path)
            rule = ""
    return found


def _unix(stamp: str) -> float:
    try:
        return time.mktime(time.strptime(stamp, "%a %b %d %H:%M:%S %Y"))
    except (ValueError, OverflowError):
        return 0.0
