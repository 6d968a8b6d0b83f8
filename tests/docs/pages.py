"""What the pages show: their fenced blocks, and the commands in blocks and in running text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")  # a span may be wrapped once
PROGRAMS = ("snakemake", "terranas", "make", "python", "pytest", "torchrun", "mkdocs", "jupyter", "git", "cd", "source")
PROGRAMS += ("sudo", "nvidia-smi", "squeue", "sinfo", "sbatch", "scontrol", ".venv/bin/pytest", ".venv/bin/python")
SHELLS = ("sh", "bash", "console", "shell")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: path of the page in the repository.
        line: line of the page that the block begins on.
        language: what follows the fence, such as ``sh``; may be empty.
        title: file that the block is the content of; empty where it is none.
        text: what stands between the fences.
    """

    page: str
    line: int
    language: str
    title: str
    text: str

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block, without comments, continued lines joined."""
        return list(_commands(self.text)) if self.language in SHELLS else []


def all_pages() -> list[str]:
    """Return the pages with commands, as paths in the repository."""
    below = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", *below, "slurm/README.md", "benchmarks/README.md"]


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        title = TITLE.search(match["info"])
        language = match["info"].split()[0] if match["info"].strip() else ""
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, language, title[1] if title else "", dedent(match["text"])))
    return found


def inline_commands(page: str) -> list[str]:
    """Return the commands in running text and in tables, each once, in order."""
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    spans = (re.sub(r"\s*\n\s*", " ", match[1]).strip() for match in CODE.finditer(text))
    return list(dict.fromkeys(span for span in spans if _is_command(span)))


def _is_command(span: str) -> bool:
    """Return whether a code span is a command and not the name of a program, file or module."""
    program, _, rest = span.partition(" ")
    return program in PROGRAMS and (bool(rest) or program == "snakemake")


def _commands(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s+)#(\s.*)?$", "", line.strip().removeprefix("$ "))
        if command:
            yield re.sub(r"\s+", " ", command)
