"""The table of public files that ``snakemake download`` can fetch.

One row a file, in ``sources.csv`` beside this module. The workflow reads it while it is parsed, so nothing heavy is
imported here.
"""

import csv
import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from terranas.core.errors import TableError

TABLE = Path(__file__).with_name("sources.csv")
"""The table that comes with the package."""

HEX_DIGITS = {"md5": 32, "sha256": 64, "sha512": 128}
"""Checksum algorithms and the length of their digests."""

SECURE = ("https",)
"""Address schemes that users' files are fetched by; tests add http for a server of their own."""

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_OWN_SUFFIXES = (".json", ".part", ".lock")


class Source(BaseModel):
    """Where a public file is, what it must be, and on which terms.

    Attributes:
        name: what ``download.files`` calls it.
        file: path below ``download.folder``.
        url: address.
        mirror: second address of the same bytes, tried when the first fails, or None.
        bytes: size, good to 5 per cent, or None where it is not known.
        checksum: ``algorithm:hex digits`` of the file, or None where none was published.
        licence: terms of use.
        citation: work to cite.
        page: page that describes the file.
        note: where the facts of this row come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    file: str
    url: str
    mirror: str | None
    bytes: int | None = Field(gt=0)
    checksum: str | None
    licence: str = Field(min_length=1)
    citation: str = Field(min_length=1)
    page: str
    note: str

    @field_validator("file")
    @classmethod
    def _file_stays_below_the_folder(cls, value: str) -> str:
        if not _FILE.fullmatch(value) or value.endswith(_OWN_SUFFIXES):
            raise ValueError(
                "must be a path below the folder, of letters, digits, '.', '_' and '-', no part of it starting with "
                f"'.', and not end in {', '.join(_OWN_SUFFIXES)}"
            )
        return value

    @field_validator("url", "mirror", "page")
    @classmethod
    def _address_is_allowed(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            require_address(value, (info.context or {}).get("schemes", SECURE))
        return value

    @field_validator("checksum")
    @classmethod
    def _checksum_is_known(cls, value: str | None) -> str | None:
        if value is None:
            return None
        algorithm, _, digest = value.partition(":")
        if algorithm not in HEX_DIGITS:
            raise ValueError(f"must start with one of {', '.join(f'{name}:' for name in HEX_DIGITS)}")
        if not re.fullmatch(f"[0-9a-f]{{{HEX_DIGITS[algorithm]}}}", digest):
            raise ValueError(f"must have {HEX_DIGITS[algorithm]} lower-case hex digits after '{algorithm}:'")
        return value

    @model_validator(mode="after")
    def _gaps_are_explained(self) -> Self:
        if self.checksum is None and not self.note:
            raise ValueError("a row without a checksum must say why in its note")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses in the order they are tried."""
        return (self.url,) if self.mirror is None else (self.url, self.mirror)


def require_address(address: str, schemes: tuple[str, ...]) -> None:
    """Check that an address has an allowed scheme and a host, and carries no password.

    Raises:
        ValueError: it does not.
    """
    parts = urlsplit(address)
    if parts.scheme not in schemes or not parts.hostname or parts.username is not None:
        raise ValueError(f"must be an address like {schemes[0]}://host/path")


def format_size(size: int | None) -> str:
    """Return a number of bytes for people: ``0.52 GB``, or ``of unknown size``."""
    if size is None:
        return "of unknown size"
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit / 10:
            return f"{size / unit:.2f} {name}"
    return f"{size} bytes"


def read_sources(path: str | Path = TABLE, *, schemes: tuple[str, ...] = SECURE) -> dict[str, Source]:
    """Read the table of public files.

    Args:
        path: CSV file with the columns of :class:`Source`; an empty field means None where that is allowed.
        schemes: allowed schemes of addresses; only tests allow more than https.

    Returns:
        The rows by name, in the order of the table.

    Raises:
        TableError: a column is missing or unknown, a value is invalid, or a name or file stands twice.
    """
    with Path(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        columns = list(Source.model_fields)
        if reader.fieldnames != columns:
            raise TableError(
                f"{path} has the columns {', '.join(reader.fieldnames or [])}; expected {', '.join(columns)}."
            )
        rows = [(reader.line_num, row) for row in reader]
    sources: dict[str, Source] = {}
    for line, row in rows:
        source = _parse(row, f"{path}, line {line}", schemes)
        if any(source.name == other.name or source.file == other.file for other in sources.values()):
            raise TableError(f"{path}, line {line}: name '{source.name}' or file '{source.file}' stands there twice.")
        sources[source.name] = source
    return sources


def _parse(row: dict[str, Any], where: str, schemes: tuple[str, ...]) -> Source:
    values = row | {name: row[name] or None for name in ("mirror", "checksum", "bytes")}
    try:
        if values["bytes"] is not None:
            values["bytes"] = int(values["bytes"])
        return Source.model_validate(values, context={"schemes": schemes})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "row"
        got = f" (got '{first['input']}')" if first["loc"] else ""
        raise TableError(f"{where}: {field}: {first['msg'].removeprefix('Value error, ')}{got}.") from error
    except ValueError as error:
        raise TableError(f"{where}: bytes must be a whole number, got '{values['bytes']}'.") from error
