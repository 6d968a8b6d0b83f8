"""Fetching a public file: terms shown first, resumed where it broke off, checked before it gets its name.

``requests`` does the HTTP; Snakemake needs it anyway. pooch would check as well, but starts a broken download anew.
"""

import hashlib
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from terranas.core.errors import DataError, TerranasError
from terranas.core.files import require_free_space
from terranas.data.part_file import PartFile
from terranas.data.sources import SECURE, Source, format_size
from terranas.data.transfer import Bounds, ByteProgress, Patience, Refusal, Transfer

logger = logging.getLogger(__name__)


class DownloadError(TerranasError):
    """A public file could not be fetched."""


def fetch(
    source: Source, target: str | Path, *, schemes: tuple[str, ...] = SECURE, patience: Patience | None = None
) -> dict[str, Any]:
    """Fetch a public file, or check the one that is there.

    Name, size, licence and citation are logged before the first byte. The file gets its name only when its size
    and checksum are right; until then its bytes are in ``<target>.part``, from which a later call goes on. A wrong
    checksum removes them. One process at a time fetches or checks a file.

    Args:
        source: row of the table of sources.
        target: file to write; one that is there is checked and never replaced.
        schemes: allowed schemes of addresses, those of redirects included; only tests allow more than https.
        patience: how long each address is tried.

    Returns:
        A receipt: ``name``, ``file``, ``url`` (the address used; None if the file was there), ``bytes``, ``modified``
        (nanoseconds), ``sha256``, ``checksum`` (the published one or None), ``verified`` (whether it was compared),
        ``licence``, ``citation``, ``page``, ``date``.

    Raises:
        DownloadError: no address gave the file; the message says why for each.
        DataError: a file is there already and is another one, a link leads nowhere, or something that is no file
            has the name of the part.
        HeldError: another process is fetching or checking the file.
        EnvironmentLackError: the disk has too little space.
    """
    target = Path(target)
    part = PartFile(target)
    _announce(source, target)
    _require_storage(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with part.held():
        if not target.exists():
            address, digests = _receive(source, target, part, schemes, patience or Patience())
            if part.become_target():
                logger.info("%s: complete, sha256 %s", source.name, digests["sha256"])
                return _receipt(source, target, address, digests)
            logger.warning("%s: %s was put there in the meantime and is left alone", source.name, target)
        digests = _check_present(source, target)
        part.discard()
        return _receipt(source, target, None, digests)


def _receive(
    source: Source, target: Path, part: PartFile, schemes: tuple[str, ...], patience: Patience
) -> tuple[str, dict[str, str]]:
    """Fill the part file with the right bytes; return the address that gave them and their digests."""
    if source.bytes is not None:
        require_free_space(target.parent, source.bytes - part.size)
    problems = []
    for address in _in_order(source.addresses, part):
        logger.info("%s: from %s", source.name, address)
        try:
            return address, _receive_from(address, source, part, schemes, patience)
        except Refusal as problem:
            logger.warning("%s: %s: %s", source.name, address, problem)
            problems.append(f"{address}: {problem}")
    kept = f" {format_size(part.size)} are kept in {part.path}, from which the next call goes on." if part.size else ""
    raise DownloadError(
        f"{source.name} could not be fetched. {'. '.join(problems)}.{kept} Try again later, or get it by hand (see "
        f"{source.page}) and put it at {target}."
    )


def _announce(source: Source, target: Path) -> None:
    logger.info("%s: %s, to %s", source.name, format_size(source.bytes), target.absolute())
    logger.info("%s: licence %s, described at %s", source.name, source.licence, source.page)
    logger.info("%s: please cite %s", source.name, source.citation)


def _require_storage(target: Path) -> None:
    """Refuse links that lead nowhere, lest a file is written where its storage should be."""
    for path in (target, *target.absolute().parents):
        if path.is_symlink() and not path.exists():
            raise DataError(
                f"{path} is a link to {path.readlink()}, which is not there: its storage seems not to be mounted. "
                "Mount it, or remove the link to have the file fetched into its place."
            )


def _in_order(addresses: tuple[str, ...], part: PartFile) -> list[str]:
    """Return the addresses, first the one that a part of the file came from."""
    started = part.state
    return sorted(addresses, key=lambda address: started is None or started.address != address)


def _check_present(source: Source, target: Path) -> dict[str, str]:
    """Check a file that is there already; return its digests."""
    advice = f"Move {target} away to have it fetched, or put the right file there."
    if not target.is_file():
        raise DataError(f"{target} is a folder or device, so {source.name} cannot be put there. {advice}")
    size = target.stat().st_size
    if not Bounds.around(source.bytes).admit(size):
        raise DataError(
            f"{target} has {size:,} bytes; {source.name} has {source.bytes:,}, good to 5 per cent. {advice}"
        )
    logger.info("%s: the file is there; checking it", source.name)
    digests = _digests(source, target)
    wrong = _wrong_checksum(source, digests)
    if wrong:
        raise DataError(f"{target} is not the published file: {wrong}. {advice}")
    return digests


def _receive_from(
    address: str, source: Source, part: PartFile, schemes: tuple[str, ...], patience: Patience
) -> dict[str, str]:
    """Fill the part file from one address and check it; return the digests."""
    Transfer(source.name, address, part, Bounds.around(source.bytes), schemes, patience).run()
    digests = _digests(source, part.path)
    wrong = _wrong_checksum(source, digests)
    if wrong:
        part.discard()
        raise Refusal(f"the file was removed since it is not the published one: {wrong}")
    return digests


def _digests(source: Source, path: Path) -> dict[str, str]:
    """Return the SHA-256 and the digest to compare, by algorithm, of what lies on the disk."""
    names = {"sha256"} | ({source.checksum.partition(":")[0]} if source.checksum else set())
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    report = ByteProgress(f"checking {source.name}", path.stat().st_size)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            for digest in hashes.values():
                digest.update(piece)
            report.add(len(piece))
    return {name: digest.hexdigest() for name, digest in hashes.items()}


def _wrong_checksum(source: Source, digests: dict[str, str]) -> str:
    """Return a text with both digests if they differ, else an empty one."""
    if source.checksum is None:
        return ""
    algorithm, _, expected = source.checksum.partition(":")
    got = digests[algorithm]
    return "" if got == expected else f"its {algorithm} is {got}, expected {expected}"


def _receipt(source: Source, target: Path, address: str | None, digests: dict[str, str]) -> dict[str, Any]:
    if source.checksum is None:
        logger.warning("%s: no checksum was published (%s), so none was compared", source.name, source.note)
    facts = target.stat()
    return {
        "name": source.name,
        "file": source.file,
        "url": address,
        "bytes": facts.st_size,
        "modified": facts.st_mtime_ns,
        "sha256": digests["sha256"],
        "checksum": source.checksum,
        "verified": source.checksum is not None,
        "licence": source.licence,
        "citation": source.citation,
        "page": source.page,
        "date": datetime.now(UTC).isoformat(),
    }
