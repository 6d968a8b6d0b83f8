"""Bringing one file from one address into a part file, over as many connections as it takes.

What is lacking, and only that, is asked for again, and only of the same content (RFC 9110, sections 13.1.5, 14 and
15.5.17). A server that ignores such a request, or whose content changed, makes the transfer start anew.
"""

import logging
import re
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from terranas.core.files import require_free_space
from terranas.core.logs import format_duration
from terranas.data.part_file import PartFile, PartState
from terranas.data.sources import format_size, require_address

logger = logging.getLogger(__name__)

PIECE = 1 << 18
"""Bytes read at once; at most so many are lost where a connection breaks."""

MOST_REDIRECTS = 10
PASSING = {408, 425, 429, 500, 502, 503, 504}
"""HTTP answers that another attempt may change."""

_CONNECTION = r"^\w+\(host=.*?\): "


class Refusal(Exception):
    """An address does not give the file, and another attempt would not change that."""


class Interruption(Exception):
    """An attempt ended early; another one may go on from there."""


@dataclass(frozen=True)
class Patience:
    """How long an address is tried.

    Attributes:
        attempts: attempts in a row without progress before an address is given up.
        progress: bytes beyond the most reached before that count as progress.
        first_wait: seconds before the second attempt; doubled for each further one.
        longest_wait: seconds that a wait never exceeds.
        connect: seconds to wait for a connection.
        read: seconds to wait for the next bytes.
    """

    attempts: int = 5
    progress: int = 1 << 24
    first_wait: float = 2.0
    longest_wait: float = 60.0
    connect: float = 30.0
    read: float = 180.0


@dataclass(frozen=True)
class Bounds:
    """Sizes in bytes that a file may have; ``largest`` is None where nothing is known."""

    smallest: int = 0
    largest: int | None = None

    @classmethod
    def around(cls, size: int | None) -> "Bounds":
        """Return the bounds 5 per cent around a size."""
        if size is None:
            return cls()
        return cls(size - size // 20, size + size // 20)

    def admit(self, size: int) -> bool:
        """Return whether a file may have this size."""
        return size >= self.smallest and (self.largest is None or size <= self.largest)

    def __str__(self) -> str:
        return f"between {self.smallest:,} and {self.largest:,}"


class ByteProgress:
    """Logs at most every ten seconds how many bytes are done and the time left."""

    EVERY = 10.0

    def __init__(self, label: str, total: int | None, done: int = 0) -> None:
        self._label, self._total, self._done = label, total, done
        self._first, self._start = done, time.monotonic()
        self._last = self._start

    def add(self, count: int) -> None:
        """Count further bytes."""
        self._done += count
        now = time.monotonic()
        if now - self._last < self.EVERY:
            return
        self._last = now
        rate = (self._done - self._first) / (now - self._start)
        text = f"{self._label}: {format_size(self._done)}"
        if self._total:
            text += f" of {format_size(self._total)} ({100 * self._done / self._total:.0f} %)"
            text += f", {format_duration(max(0, self._total - self._done) / rate)} left"
        logger.info("%s, %.1f MB/s", text, rate / 1e6)


@dataclass(frozen=True)
class Transfer:
    """One file from one address.

    Attributes:
        label: name of the file in log lines.
        address: where it is.
        part: where it goes.
        bounds: sizes it may have.
        schemes: allowed schemes, of the address and of those it redirects to.
        patience: how long to try.
    """

    label: str
    address: str
    part: PartFile
    bounds: Bounds
    schemes: tuple[str, ...]
    patience: Patience

    def run(self) -> None:
        """Receive what is lacking of the file.

        Raises:
            Refusal: the address does not give the file, or gave nothing new in so many attempts.
            EnvironmentLackError: the disk has too little space.
        """
        most = self.part.size if self._state is not None else 0
        failures = 0
        with requests.Session() as session:
            while True:
                try:
                    return self._attempt(session)
                except (Interruption, requests.RequestException, urllib3.exceptions.HTTPError) as problem:
                    failures += 1
                    if self.part.size - most >= self.patience.progress:
                        most, failures = self.part.size, 0
                    if failures >= self.patience.attempts:
                        last = _words(problem)
                        raise Refusal(
                            f"{failures} attempts in a row brought nothing new, the last: {last}"
                        ) from problem
                    wait = min(self.patience.first_wait * 2 ** max(0, failures - 1), self.patience.longest_wait)
                    logger.warning(
                        "%s: stopped at %s, %s; attempts without progress: %d of %d, the next in %s",
                        self.label,
                        format_size(self.part.size),
                        _words(problem),
                        failures,
                        self.patience.attempts,
                        format_duration(wait),
                    )
                    time.sleep(wait)

    @property
    def _state(self) -> PartState | None:
        """What is known of the bytes so far, if they come from this address."""
        state = self.part.state
        return state if state is not None and state.address == self.address else None

    def _attempt(self, session: requests.Session) -> None:
        """Ask once for what is lacking and write it."""
        state = self._state
        if state is not None and state.total == self.part.size:
            return
        # without a mark nobody can tell whether the rest belongs to what is there
        offset = self.part.size if state is not None and state.mark else 0
        # a range even for the whole: the answer tells the size where servers leave it out otherwise (Nextcloud)
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={offset}-"}
        if state is not None and offset:
            headers["If-Range"] = state.mark
        with self._open(session, headers) as response:
            status = response.status_code
            first, total = _range_of(response)
            if status == 416 and offset and total == offset:
                return
            if status == 200:
                offset, total = 0, _length_of(response)
            elif (status == 416 and offset) or (status == 206 and not _goes_on(response, state, offset, first, total)):
                self.part.discard()
                raise Interruption("the server has another content than before")
            elif status in PASSING:
                raise Interruption(f"the server answered {status} {response.reason}")
            elif status != 206:
                raise Refusal(f"the server answered {status} {response.reason}")
            self._check(response, offset, total)
            if offset == 0:
                self.part.begin(PartState(self.address, _mark_of(response), total))
            else:
                logger.info("%s: going on at %s", self.label, format_size(offset))
            self._write(response, offset, total)
        lacking = (self.bounds.smallest if total is None else total) - self.part.size
        if lacking > 0:
            raise Interruption(f"the connection ended {lacking:,} bytes too early")

    def _open(self, session: requests.Session, headers: dict[str, str]) -> requests.Response:
        """Return the answer after redirects, each to an allowed scheme."""
        address = self.address
        for _ in range(MOST_REDIRECTS):
            response = session.get(
                address,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(self.patience.connect, self.patience.read),
            )
            if not response.is_redirect:
                return response
            response.close()
            address = urljoin(address, response.headers["location"])
            try:
                require_address(address, self.schemes)
            except ValueError as error:
                raise Refusal(f"it redirects to '{address}', which {error}") from error
        raise Refusal(f"it redirects more than {MOST_REDIRECTS} times")

    def _check(self, response: requests.Response, offset: int, total: int | None) -> None:
        """Refuse, before a byte is written, what cannot be the file or has no room."""
        encoding = response.headers.get("content-encoding", "identity")
        # some servers describe a .gz file so; its bytes are taken as they are
        if encoding != "identity" and not urlsplit(self.address).path.endswith(".gz"):
            raise Refusal(f"the server sends the file encoded ({encoding}) although asked not to")
        if total is not None and not self.bounds.admit(total):
            raise Refusal(f"the server offers {total:,} bytes, expected {self.bounds}")
        if total is not None:
            require_free_space(self.part.path.parent, total - offset)

    def _write(self, response: requests.Response, offset: int, total: int | None) -> None:
        """Append the body to the part file."""
        size, largest = offset, self.bounds.largest
        report = ByteProgress(self.label, total, offset)
        with self.part.append() as file:
            while piece := response.raw.read(PIECE, decode_content=False):
                size += len(piece)
                if largest is not None and size > largest:
                    self.part.discard()
                    raise Refusal(f"the server sends more than {largest:,} bytes, expected {self.bounds}")
                file.write(piece)
                report.add(len(piece))


def _words(problem: Exception) -> str:
    """Return what went wrong, in words where the library's own are hard to read."""
    if isinstance(problem, urllib3.exceptions.IncompleteRead):
        return f"the connection ended {problem.expected:,} bytes too early"
    if isinstance(problem, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"the server was silent for too long ({problem})"
    if isinstance(problem, requests.ConnectionError):
        cause = getattr(problem.args[0] if problem.args else problem, "reason", None) or problem
        return f"there is no connection to the server ({re.sub(_CONNECTION, '', str(cause))})"
    return str(problem)


def _goes_on(response: requests.Response, state: PartState | None, offset: int, first: int, total: int | None) -> bool:
    """Return whether a partial answer starts at ``offset`` and belongs to what is there."""
    if first != offset:
        return False
    if offset == 0 or state is None:
        return True
    return state.total in (None, total) and _mark_of(response) in ("", state.mark)


def _mark_of(response: requests.Response) -> str:
    """Return the strong ETag or else Last-Modified; a weak ETag does not promise equal bytes (RFC 9110, 8.8.1)."""
    etag = response.headers.get("etag", "")
    return etag if etag.startswith('"') else response.headers.get("last-modified", "")


def _range_of(response: requests.Response) -> tuple[int, int | None]:
    """Return first byte (-1 if none is given) and total size of the Content-Range header."""
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("content-range", "").strip())
    if found is None:
        return -1, None
    return int(found[1] or -1), None if found[2] == "*" else int(found[2])


def _length_of(response: requests.Response) -> int | None:
    """Return the Content-Length header, or None."""
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None
