"""Content hashes of code, so that Snakemake reruns what an edit touches and nothing else.

A rule's fingerprint covers its script and every ``terranas`` module the script imports, directly or through other
modules. Only the syntax tree counts: comments, docstrings and formatting change nothing. Reading is by source text;
no module is imported, so a fingerprint never loads torch.

Every call of snakemake and every cluster job asks for the fingerprints of all rules, and parsing some 300 files takes
seconds. What was found in a file is therefore kept, by the hash of its text, beside Python's own compiled files.
"""

import ast
import atexit
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE_ROOT = Path(__file__).resolve().parents[1]
KEPT = Path(__file__).parent / "__pycache__" / f"fingerprints.{sys.implementation.cache_tag}.json"
"""What was found in files, by the SHA-256 of their text; of one version of Python, whose syntax trees differ."""
_FORMAT = 1  # raised when what is kept means something else


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
    text = path.read_bytes()
    key = f"{_FORMAT}:{package_root.name}:{hashlib.sha256(text).hexdigest()}"
    kept = _kept()
    if key not in kept:
        kept[key] = _summary(text, str(path), package_root.name)
        _keep_at_exit()
    digest, names = kept[key]
    files = (file for name in names for file in _module_files(package_root, name.split(".")[1:]))
    return digest, tuple(dict.fromkeys(files))


def _summary(text: bytes, name: str, package: str) -> tuple[str, list[str]]:
    """Return the digest of a file's syntax tree and the dotted names it imports of the package."""
    tree = ast.parse(text, filename=name)
    names = list(dict.fromkeys(_imported_names(tree, package)))
    _drop_docstrings(tree)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), names


@cache
def _kept() -> dict[str, tuple[str, list[str]]]:
    """Return what earlier processes found; nothing where that cannot be read."""
    try:
        content = json.loads(KEPT.read_text(encoding="utf-8"))
        return {str(key): (str(digest), [str(name) for name in names]) for key, (digest, names) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


@cache
def _keep_at_exit() -> None:
    atexit.register(_keep)


def _keep() -> None:
    """Write what was found, whole or not at all; where it cannot be written, the next process parses again."""
    temporary = KEPT.with_name(f"{KEPT.name}.{os.getpid()}")
    try:
        KEPT.parent.mkdir(exist_ok=True)
        temporary.write_text(json.dumps(_kept()), encoding="utf-8")
        temporary.replace(KEPT)
    except OSError:
        temporary.unlink(missing_ok=True)


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


def _imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the dotted names of the package that a syntax tree imports, wherever the import stands."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.split(".")[0] == package)


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
