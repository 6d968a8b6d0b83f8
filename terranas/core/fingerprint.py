"""Content hashes of code, so that Snakemake reruns what an edit touches and nothing else.

A rule's fingerprint covers its script and every ``terranas`` module the script imports, directly or through other
modules. Only the syntax tree counts: comments, docstrings and formatting change nothing. Reading is by source text;
no module is imported, so a fingerprint costs milliseconds and never loads torch.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[1]


def fingerprint(script: str | Path, package_root: Path = PACKAGE_ROOT) -> str:
    """Return 16 hex digits that change when the script or a module it imports changes in more than words.

    Args:
        script: path of a Python file; non-Python files (templates) beside imported modules do not count.
        package_root: folder of the ``terranas`` package.
    """
    seen: dict[Path, str] = {}
    pending = [Path(script)]
    while pending:
        path = pending.pop()
        if path not in seen:
            seen[path], imported = _digest_and_imports(path, package_root)
            pending.extend(imported)
    # names relative to the package (or the bare script name) keep the hash equal on every machine
    parts = sorted(
        f"{path.relative_to(package_root) if path.is_relative_to(package_root) else path.name}:{digest}"
        for path, digest in seen.items()
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _digest_and_imports(path: Path, package_root: Path) -> tuple[str, tuple[Path, ...]]:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    imports = tuple(dict.fromkeys(_package_files(tree, package_root)))
    _drop_docstrings(tree)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports


def _drop_docstrings(tree: ast.AST) -> None:
    """Remove every expression statement that is a bare string: docstrings and attribute docstrings."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                kept = [statement for statement in body if not _is_bare_string(statement)]
                setattr(node, field, kept)


def _is_bare_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _package_files(tree: ast.AST, package_root: Path) -> Iterator[Path]:
    """Yield the files of the package's modules that a syntax tree imports, wherever the import stands."""
    package = package_root.name
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            head, *rest = name.split(".")
            if head == package:
                yield from _module_files(package_root, rest)


def _module_files(package_root: Path, parts: list[str]) -> Iterator[Path]:
    """Yield the ``__init__.py`` of every package on the way and the module itself, where they exist."""
    folder = package_root
    yield folder / "__init__.py"
    for part in parts:
        module = folder / f"{part}.py"
        if module.is_file():
            yield module
            return
        folder = folder / part
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
