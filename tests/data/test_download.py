"""Downloads, against a server on this machine that can be as awkward as those of the world."""

import errno
import fcntl
import hashlib
import logging
import os
import random
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import namedtuple
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terranas.config.published import DownloadName
from terranas.core.errors import DataError, EnvironmentLackError, TableError
from terranas.core.files import read_json, write_json
from terranas.data.download import DownloadError, fetch
from terranas.data.layout import SO2SAT_IMAGE_BYTES
from terranas.data.part_file import HeldError, PartFile, PartState
from terranas.data.receipts import FRESH, download_state, file_of
from terranas.data.sources import TABLE, Source, format_size, read_sources
from terranas.data.transfer import ByteProgress, Patience

ROOT = Path(__file__).resolve().parents[2]
HTTP = ("http",)
AT_ONCE = Patience(attempts=3, progress=1, first_wait=0, longest_wait=0, connect=5, read=5)
CONTENT = random.Random(0).randbytes(600_000)


@dataclass
class Page:
    """What the server has at a path, and how it behaves."""

    content: bytes = CONTENT
    etag: str | None = '"one"'
    modified: str | None = None
    ranges: bool = True
    obeys_if_range: bool = True
    tells_length: bool = True
    cuts: list[int] = field(default_factory=list)  # body bytes of the next answers, after which the connection ends
    statuses: list[int] = field(default_factory=list)  # of the next answers
    redirect: str | None = None
    encoding: str | None = None
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event | None = None  # what answers wait for


@dataclass
class Request:
    path: str
    range: str | None
    if_range: str | None
    status: int = 0
    sent: int = 0


class Server:
    """Pages by path, and the requests that were made for them."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[Request] = []
        handler = type("Handler", (_Handler,), {"site": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._http.server_port}{path}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()


class _Handler(BaseHTTPRequestHandler):
    site: Server
    timeout = 5

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        seen = Request(self.path, self.headers.get("Range"), self.headers.get("If-Range"))
        self.site.requests.append(seen)
        page = self.site.pages.get(self.path)
        if page is None:
            return self._end(seen, 404, {})
        page.reached.set()
        if page.opened is not None:
            page.opened.wait(20)
        if page.statuses and (status := page.statuses.pop(0)) != 200:
            return self._end(seen, status, {})
        if page.redirect:
            return self._end(seen, 302, {"Location": page.redirect})
        marks = {"ETag": page.etag, "Last-Modified": page.modified, "Content-Encoding": page.encoding}
        headers = {name: value for name, value in marks.items() if value}
        first, status = 0, 200
        same = not page.obeys_if_range or seen.if_range in (None, page.etag, page.modified)
        asked = re.fullmatch(r"bytes=(\d+)-", seen.range or "")
        if asked and page.ranges and same:
            first, status, total = int(asked[1]), 206, len(page.content)
            if first >= total:
                return self._end(seen, 416, {"Content-Range": f"bytes */{total}"})
            headers["Content-Range"] = f"bytes {first}-{total - 1}/{total if page.tells_length else '*'}"
        body = page.content[first:]
        if page.tells_length:
            headers["Content-Length"] = str(len(body))
        body = body[: page.cuts.pop(0)] if page.cuts else body
        self._end(seen, status, headers, body)

    def _end(self, seen: Request, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        seen.status, seen.sent = status, len(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        # the client may hang up early
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    site = Server()
    yield site
    site.close()


def row(**changed: Any) -> dict[str, Any]:
    given = {
        "name": "one",
        "file": "folder/one.bin",
        "url": "https://example.org/one.bin",
        "mirror": None,
        "bytes": len(CONTENT),
        "checksum": f"sha256:{hashlib.sha256(CONTENT).hexdigest()}",
        "licence": "CC0",
        "citation": "Nobody 2000",
        "page": "https://example.org/",
        "note": "made for a test",
    }
    return given | changed


def source(server: Server, path: str = "/one.bin", mirror: str | None = None, **changed: Any) -> Source:
    addresses = {"url": server.url(path), "mirror": mirror and server.url(mirror)}
    return Source.model_validate(row(**addresses) | changed, context={"schemes": ("http", "https")})


def get(wanted: Source, folder: Path) -> dict[str, Any]:
    return fetch(wanted, folder / wanted.file, schemes=HTTP, patience=AT_ONCE)


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "folder").iterdir())


# --- fetching --------------------------------------------------------------------------------------------------------


def test_a_fresh_download(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    page = server.pages["/one.bin"] = Page()
    receipt = get(source(server), tmp_path)
    target = tmp_path / "folder" / "one.bin"
    assert target.read_bytes() == page.content
    assert leftovers(tmp_path) == ["one.bin"]
    assert server.requests == [Request("/one.bin", "bytes=0-", None, 206, len(CONTENT))]
    facts = target.stat()
    assert receipt.pop("date").endswith("+00:00")
    assert receipt == {
        "name": "one",
        "file": "folder/one.bin",
        "url": server.url("/one.bin"),
        "bytes": len(CONTENT),
        "modified": facts.st_mtime_ns,
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "checksum": source(server).checksum,
        "verified": True,
        "licence": "CC0",
        "citation": "Nobody 2000",
        "page": "https://example.org/",
    }


def test_terms_stand_in_the_log_before_anything_is_asked_for(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(DownloadError):
        get(source(server, "/missing"), tmp_path)
    terms, _, rest = caplog.text.partition(server.url("/missing"))
    for word in ("0.60 MB", str(tmp_path / "folder" / "one.bin"), "CC0", "https://example.org/", "Nobody 2000"):
        assert word in terms
    assert "404" in rest


def test_a_file_that_is_there_is_checked_and_not_fetched(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page()
    first = get(source(server), tmp_path)
    again = get(source(server), tmp_path)
    assert len(server.requests) == 1
    assert again["url"] is None
    assert again["verified"]
    assert {key: again[key] for key in ("sha256", "bytes", "modified")} == {
        key: first[key] for key in ("sha256", "bytes", "modified")
    }


@pytest.mark.parametrize(
    ("content", "words"), [(bytes(len(CONTENT)), "sha256 is .*, expected"), (CONTENT[:1000], "has 1,000 bytes")]
)
def test_another_file_that_is_there_is_left_alone(server: Server, tmp_path: Path, content: bytes, words: str) -> None:
    target = tmp_path / "folder" / "one.bin"
    target.parent.mkdir()
    target.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        get(source(server), tmp_path)
    assert "Move" in str(caught.value)
    assert target.read_bytes() == content
    assert server.requests == []


def test_a_folder_in_the_place_of_the_file_is_told(server: Server, tmp_path: Path) -> None:
    (tmp_path / "folder" / "one.bin").mkdir(parents=True)
    with pytest.raises(DataError, match="is a folder or device"):
        get(source(server), tmp_path)


def test_without_a_published_checksum_the_receipt_says_so(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.pages["/one.bin"] = Page()
    receipt = get(source(server, checksum=None), tmp_path)
    assert receipt["verified"] is False
    assert receipt["checksum"] is None
    assert receipt["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert "no checksum was published (made for a test)" in caplog.text


@pytest.mark.parametrize("algorithm", ["md5", "sha512"])
def test_other_checksums_are_compared_too(server: Server, tmp_path: Path, algorithm: str) -> None:
    server.pages["/one.bin"] = Page()
    checksum = f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest()}"
    receipt = get(source(server, checksum=checksum), tmp_path)
    assert receipt["verified"]
    assert receipt["checksum"] == checksum
    assert receipt["sha256"] == hashlib.sha256(CONTENT).hexdigest()


# --- going on --------------------------------------------------------------------------------------------------------


def test_a_broken_connection_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(cuts=[200_000, 150_001])
    get(source(server), tmp_path)
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT
    assert [(request.range, request.if_range, request.sent) for request in server.requests] == [
        ("bytes=0-", None, 200_000),
        ("bytes=200000-", '"one"', 150_001),
        ("bytes=350001-", '"one"', 249_999),
    ]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server: Server, tmp_path: Path) -> None:
    page = server.pages["/one.bin"] = Page(cuts=[100_000, 0, 0, 0])
    with pytest.raises(DownloadError, match="3 attempts in a row brought nothing new") as caught:
        get(source(server), tmp_path)
    assert "0.10 MB are kept in" in str(caught.value)
    assert "put it at" in str(caught.value)
    assert leftovers(tmp_path) == ["one.bin.part", "one.bin.part.json"]
    server.requests.clear()
    page.cuts = []
    get(source(server), tmp_path)
    assert [(request.range, request.sent) for request in server.requests] == [("bytes=100000-", 500_000)]
    assert leftovers(tmp_path) == ["one.bin"]


def test_attempts_are_counted_anew_after_progress(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(cuts=[0, 0, 10, 0, 0, 10, 0, 0])
    get(source(server), tmp_path)
    assert len(server.requests) == 9


def test_a_file_complete_but_not_yet_checked_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(cuts=[100, 0, 0, 0])
    with pytest.raises(DownloadError):
        get(source(server), tmp_path)
    (tmp_path / "folder" / "one.bin.part").write_bytes(CONTENT)
    server.requests.clear()
    get(source(server), tmp_path)
    assert server.requests == []


def test_a_server_that_ignores_ranges_starts_anew(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(ranges=False, cuts=[200_000])
    get(source(server), tmp_path)
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT
    assert [(request.status, request.sent) for request in server.requests] == [(200, 200_000), (200, 600_000)]


@pytest.mark.parametrize("obeys", [True, False])
def test_content_that_changed_in_between_starts_anew(server: Server, tmp_path: Path, obeys: bool) -> None:
    """Also where the server sends the rest of the new content against what If-Range asked for."""
    page = server.pages["/one.bin"] = Page(cuts=[100_000, 0, 0, 0], obeys_if_range=obeys)
    with pytest.raises(DownloadError):
        get(source(server), tmp_path)
    page.content, page.etag, page.cuts = CONTENT[::-1], '"two"', []
    checksum = f"sha256:{hashlib.sha256(page.content).hexdigest()}"
    get(source(server, checksum=checksum), tmp_path)
    assert (tmp_path / "folder" / "one.bin").read_bytes() == page.content


def test_a_content_of_another_size_starts_anew(server: Server, tmp_path: Path) -> None:
    """The mark may lie (a mirror behind one address); the size tells."""
    page = server.pages["/one.bin"] = Page(cuts=[100_000, 0, 0, 0])
    with pytest.raises(DownloadError):
        get(source(server, checksum=None), tmp_path)
    page.content, page.cuts = CONTENT[::-1][:-1], []
    get(source(server, checksum=None), tmp_path)
    assert (tmp_path / "folder" / "one.bin").read_bytes() == page.content


@pytest.mark.parametrize(
    ("etag", "modified", "asked"),
    [
        (None, None, ["bytes=0-", "bytes=0-"]),
        ('W/"weak"', None, ["bytes=0-", "bytes=0-"]),
        ('W/"weak"', "Wed, 01 Jan 2020 00:00:00 GMT", ["bytes=0-", "bytes=200000-"]),
    ],
)
def test_only_a_sure_mark_of_the_content_is_gone_on_with(
    server: Server, tmp_path: Path, etag: str | None, modified: str | None, asked: list[str]
) -> None:
    server.pages["/one.bin"] = Page(etag=etag, modified=modified, cuts=[200_000])
    get(source(server), tmp_path)
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT
    assert [request.range for request in server.requests] == asked
    assert server.requests[-1].if_range == (modified if len(set(asked)) > 1 else None)


def test_a_part_that_the_server_has_no_more_bytes_for(server: Server, tmp_path: Path) -> None:
    """Answer 416: the part is the whole (the server never told its size), or belongs to something longer."""
    page = server.pages["/one.bin"] = Page(tells_length=False, cuts=[0, 0, 0])
    for kept in (CONTENT, CONTENT + b"more"):
        target = tmp_path / "folder" / "one.bin"
        target.parent.mkdir(exist_ok=True)
        target.unlink(missing_ok=True)
        target.with_name("one.bin.part").write_bytes(kept)
        state = {"address": server.url("/one.bin"), "mark": '"one"', "total": None}
        write_json(target.with_name("one.bin.part.json"), state)
        page.cuts = []
        server.requests.clear()
        get(source(server), tmp_path)
        assert target.read_bytes() == CONTENT
        statuses = [request.status for request in server.requests]
        assert statuses == ([416] if kept == CONTENT else [416, 206])


def test_a_part_of_unknown_origin_is_not_gone_on_with(server: Server, tmp_path: Path) -> None:
    for state in (None, "{", '{"other": 1}', '["list"]'):
        folder = tmp_path / f"{state!r:.5}".replace("/", "_") / "folder"
        folder.mkdir(parents=True)
        (folder / "one.bin.part").write_bytes(b"what is this")
        if state is not None:
            (folder / "one.bin.part.json").write_text(state)
        server.pages["/one.bin"] = Page()
        get(source(server), folder.parent)
        assert (folder / "one.bin").read_bytes() == CONTENT


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_server_does_the_file_is_right_or_absent(server: Server, data: st.DataObject) -> None:
    content = data.draw(st.binary(min_size=1, max_size=60))
    page = Page(
        content=content,
        etag=data.draw(st.sampled_from(['"one"', 'W/"one"', None])),
        modified=data.draw(st.sampled_from([None, "Wed, 01 Jan 2020 00:00:00 GMT"])),
        ranges=data.draw(st.booleans()),
        obeys_if_range=data.draw(st.booleans()),
        tells_length=data.draw(st.booleans()),
        cuts=data.draw(st.lists(st.integers(0, 60), max_size=6)),
        statuses=data.draw(st.lists(st.sampled_from([200, 200, 503, 429, 500]), max_size=6)),
    )
    server.pages["/one.bin"] = page
    checksum = f"sha256:{hashlib.sha256(content).hexdigest()}"
    wanted = source(server, bytes=len(content), checksum=checksum)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / wanted.file
        try:
            get(wanted, Path(folder))
        except DownloadError:
            assert not target.exists()
        else:
            assert target.read_bytes() == content
            assert leftovers(Path(folder)) == ["one.bin"]
        # another content under another mark, and a server without fault: the next call ends well
        target.unlink(missing_ok=True)
        page.content, page.etag, page.cuts, page.statuses = content[::-1], '"two"', [], []
        checksum = f"sha256:{hashlib.sha256(page.content).hexdigest()}"
        get(source(server, bytes=len(content), checksum=checksum), Path(folder))
        assert target.read_bytes() == page.content


# --- addresses that do not give the file -----------------------------------------------------------------------------


def test_the_mirror_is_asked_when_the_first_address_fails(server: Server, tmp_path: Path) -> None:
    server.pages["/mirror.bin"] = Page()
    receipt = get(source(server, "/gone.bin", "/mirror.bin"), tmp_path)
    assert receipt["url"] == server.url("/mirror.bin")
    assert [(request.path, request.status) for request in server.requests] == [("/gone.bin", 404), ("/mirror.bin", 206)]


def test_what_the_mirror_gave_is_gone_on_with_there(server: Server, tmp_path: Path) -> None:
    mirror = server.pages["/mirror.bin"] = Page(cuts=[100_000, 0, 0, 0])
    with pytest.raises(DownloadError) as caught:
        get(source(server, "/gone.bin", "/mirror.bin"), tmp_path)
    for words in ("gone.bin: the server answered 404", "mirror.bin: 3 attempts in a row brought nothing new"):
        assert words in str(caught.value)
    server.requests.clear()
    mirror.cuts = []
    get(source(server, "/gone.bin", "/mirror.bin"), tmp_path)
    assert [(request.path, request.range) for request in server.requests] == [("/mirror.bin", "bytes=100000-")]


def test_a_server_out_of_reach_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    wanted = source(server)
    server.close()
    with pytest.raises(DownloadError, match="3 attempts in a row brought nothing new") as caught:
        get(wanted, tmp_path)
    assert "there is no connection to the server (Failed to establish" in str(caught.value)
    assert "by hand (see https://example.org/)" in str(caught.value)


def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(statuses=[503, 429])
    get(source(server), tmp_path)
    assert [request.status for request in server.requests] == [503, 429, 206]


def test_waits_grow_up_to_a_bound(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("terranas.data.transfer.time.sleep", waits.append)
    server.pages["/one.bin"] = Page(statuses=[503] * 5)
    with pytest.raises(
        DownloadError, match="5 attempts in a row brought nothing new, the last: the server answered 503"
    ):
        fetch(source(server), tmp_path / "one.bin", schemes=HTTP, patience=Patience(first_wait=2, longest_wait=7))
    assert waits == [2, 4, 7, 7]


@pytest.mark.parametrize("kept", [True, False])
def test_a_wrong_checksum_removes_the_file(server: Server, tmp_path: Path, kept: bool) -> None:
    server.pages["/one.bin"] = Page(content=CONTENT[::-1], cuts=[100] if kept else [])
    with pytest.raises(DownloadError) as caught:
        get(source(server), tmp_path)
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert hashlib.sha256(CONTENT[::-1]).hexdigest() in str(caught.value)
    assert leftovers(tmp_path) == []


def test_after_a_wrong_checksum_the_mirror_is_asked(server: Server, tmp_path: Path) -> None:
    server.pages |= {"/one.bin": Page(content=CONTENT[::-1]), "/mirror.bin": Page(etag='"two"')}
    assert get(source(server, mirror="/mirror.bin"), tmp_path)["url"] == server.url("/mirror.bin")
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT


def test_a_file_that_is_always_cut_short_is_given_up(server: Server, tmp_path: Path) -> None:
    """Without a length, the end of the connection looks like the end of the file; the table's size tells."""
    server.pages["/one.bin"] = Page(content=CONTENT[:400_000], tells_length=False, ranges=False)
    with pytest.raises(DownloadError, match="the connection ended 170,000 bytes too early"):
        get(source(server), tmp_path)
    assert len(server.requests) == 4  # the first brought something


@pytest.mark.parametrize("size", [660_000, 12_000])
def test_an_offer_of_another_size_is_refused_unread(server: Server, tmp_path: Path, size: int) -> None:
    """12 kB in place of a file: a page that asks to log in, for instance."""
    server.pages["/one.bin"] = Page(content=bytes(size))
    with pytest.raises(DownloadError, match=f"offers {size:,} bytes, expected between 570,000 and 630,000"):
        get(source(server), tmp_path)
    assert leftovers(tmp_path) == []
    assert len(server.requests) == 1


def test_an_endless_answer_is_cut_off(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(content=bytes(2_000_000), tells_length=False)
    with pytest.raises(DownloadError, match="sends more than 630,000 bytes"):
        get(source(server), tmp_path)
    assert leftovers(tmp_path) == []


def test_a_size_that_nobody_knows_is_accepted(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(tells_length=False, ranges=False)
    assert get(source(server, bytes=None), tmp_path)["bytes"] == len(CONTENT)


def test_redirects_lead_to_the_file(server: Server, tmp_path: Path) -> None:
    server.pages |= {"/one.bin": Page(redirect="/two"), "/two": Page(redirect=server.url("/three")), "/three": Page()}
    get(source(server), tmp_path)
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "ftp://example.org/", "file:///etc/hosts"])
def test_redirects_to_other_schemes_are_refused(server: Server, tmp_path: Path, elsewhere: str) -> None:
    server.pages["/one.bin"] = Page(redirect=elsewhere)
    with pytest.raises(DownloadError, match=r"it redirects to .* must be an address like http://host/path"):
        get(source(server), tmp_path)
    assert len(server.requests) == 1


def test_redirects_in_a_circle_end(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(redirect="/one.bin")
    with pytest.raises(DownloadError, match="redirects more than 10 times"):
        get(source(server), tmp_path)


def test_an_encoded_answer_is_refused(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(encoding="gzip")
    with pytest.raises(DownloadError, match=r"encoded \(gzip\) although asked not to"):
        get(source(server), tmp_path)


def test_a_gz_file_that_is_said_to_be_encoded_is_taken_as_it_is(server: Server, tmp_path: Path) -> None:
    server.pages["/one.gz"] = Page(encoding="gzip", cuts=[1000])
    get(source(server, "/one.gz", file="folder/one.gz"), tmp_path)
    assert (tmp_path / "folder" / "one.gz").read_bytes() == CONTENT


# --- two at once, and what lies in the way ---------------------------------------------------------------------------


@contextmanager
def fetching(server: Server, folder: Path) -> Iterator[tuple[Future, threading.Event]]:
    """Fetch in another thread, halted before the first byte until the event is set or the block ends."""
    opened = threading.Event()
    page = server.pages["/one.bin"] = Page(opened=opened)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(get, source(server), folder)
        try:
            assert page.reached.wait(20)
            yield outcome, opened
        finally:
            opened.set()


def test_a_second_call_is_told_who_holds_the_file(server: Server, tmp_path: Path) -> None:
    with fetching(server, tmp_path) as (outcome, opened):
        held_by = rf"one\.bin is being fetched or checked by process {os.getpid()} on .* since \d{{4}}-.* UTC\. Two at"
        for _ in range(2):
            with pytest.raises(HeldError, match=held_by):
                get(source(server), tmp_path)
        opened.set()
        assert outcome.result(20)["verified"]
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert leftovers(tmp_path) == ["one.bin"]


def test_the_lock_ends_with_its_process(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page()
    code = (
        "import sys; from pathlib import Path; from terranas.data.part_file import PartFile\n"
        "with PartFile(Path(sys.argv[1])).held(): print('held', flush=True); sys.stdin.read()"
    )
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "one.bin"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(target)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(HeldError, match=f"by process {other.pid} on"):
            get(source(server), tmp_path)
        other.kill()
    assert leftovers(tmp_path) == ["one.bin.lock"]
    get(source(server), tmp_path)
    assert leftovers(tmp_path) == ["one.bin"]


def test_a_lock_without_its_name_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process before removes the name after this one opened it and before this one locked it."""
    part = PartFile(tmp_path / "one.bin")
    usual, calls = fcntl.flock, []

    def late(lock: int, how: int) -> None:
        if not calls:
            (tmp_path / "one.bin.lock").unlink()
        calls.append(lock)
        usual(lock, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with part.held():
        assert len(calls) == 2
        with pytest.raises(HeldError), PartFile(tmp_path / "one.bin").held():
            pass
    assert list(tmp_path.iterdir()) == []


def test_without_locks_a_download_goes_on_with_a_warning(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def none(*_: int) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(fcntl, "flock", none)
    server.pages["/one.bin"] = Page()
    get(source(server), tmp_path)
    assert "this file system has no locks" in caplog.text
    assert leftovers(tmp_path) == ["one.bin"]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("right", [True, False])
def test_a_file_put_there_during_the_download_is_never_replaced(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool, right: bool
) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not links:
        monkeypatch.setattr(os, "link", none)
    content = CONTENT if right else bytes(len(CONTENT))
    target = tmp_path / "folder" / "one.bin"
    with fetching(server, tmp_path) as (outcome, opened):
        target.write_bytes(content)
        number = target.stat().st_ino
        opened.set()
        if right:
            assert outcome.result(20)["url"] is None
        else:
            with pytest.raises(DataError, match="is not the published file"):
                outcome.result(20)
    assert target.read_bytes() == content
    assert target.stat().st_ino == number
    # what was fetched is kept where it may be wanted yet
    assert leftovers(tmp_path) == (["one.bin"] if right else ["one.bin", "one.bin.part", "one.bin.part.json"])


def test_a_file_system_without_second_names_gets_the_file_too(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", none)
    server.pages["/one.bin"] = Page()
    get(source(server), tmp_path)
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT
    assert leftovers(tmp_path) == ["one.bin"]


@pytest.mark.parametrize("name", ["one.bin.part", "one.bin.part.json", "one.bin.lock"])
@pytest.mark.parametrize("what", ["link", "dangling link", "folder"])
def test_what_is_no_file_is_left_alone(server: Server, tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "folder").mkdir()
    way, precious = tmp_path / "folder" / name, tmp_path / "precious"
    if what == "folder":
        way.mkdir()
    else:
        way.symlink_to(precious)
    if what == "link":
        precious.write_text("precious")
    server.pages["/one.bin"] = Page()
    kind = "a folder or device" if what == "folder" else "a link"
    with pytest.raises(DataError, match=f"{re.escape(name)} is {kind}, where the .* file of a download belongs"):
        get(source(server), tmp_path)
    assert server.requests == []
    assert leftovers(tmp_path) == [name]
    assert way.is_dir() == (what == "folder")
    assert precious.exists() == (what == "link")
    assert not precious.exists() or precious.read_text() == "precious"


def test_a_link_put_there_in_the_meantime_is_not_followed(tmp_path: Path) -> None:
    part, precious = PartFile(tmp_path / "one.bin"), tmp_path / "precious"
    precious.write_text("precious")
    part.path.symlink_to(precious)
    with pytest.raises(OSError, match="symbolic link"):
        part.append()
    part.begin(PartState("https://example.org/", "", None))
    assert precious.read_text() == "precious"
    assert part.path.read_bytes() == b""


def test_a_part_with_a_second_name_is_not_written_into(server: Server, tmp_path: Path) -> None:
    server.pages["/one.bin"] = Page(cuts=[1000, 0, 0, 0])
    with pytest.raises(DownloadError):
        get(source(server), tmp_path)
    copy = tmp_path / "copy"
    copy.hardlink_to(tmp_path / "folder" / "one.bin.part")
    with pytest.raises(DataError, match=r"one\.bin\.part has a second name somewhere"):
        get(source(server), tmp_path)
    assert copy.read_bytes() == CONTENT[:1000]


def test_a_process_killed_between_naming_and_tidying_up(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "folder" / "one.bin"
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    target.with_name("one.bin.part").hardlink_to(target)
    assert get(source(server), tmp_path)["verified"]
    assert leftovers(tmp_path) == ["one.bin"]


@pytest.mark.parametrize("linked", ["folder/one.bin", "folder"])
def test_a_link_to_storage_that_is_not_there_is_refused(server: Server, tmp_path: Path, linked: str) -> None:
    link, store = tmp_path / linked, tmp_path / "store" / "place"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(store)
    server.pages["/one.bin"] = Page()
    with pytest.raises(DataError, match=rf"is a link to {store}, which is not there: its storage seems not"):
        get(source(server), tmp_path)
    assert link.is_symlink()
    assert server.requests == []
    # and with the storage there, what the link leads to is used
    store.parent.mkdir()
    if linked == "folder":
        store.mkdir()
        get(source(server), tmp_path)
    else:
        store.write_bytes(CONTENT)
        assert get(source(server), tmp_path)["url"] is None
    assert link.is_symlink()
    assert (tmp_path / "folder" / "one.bin").read_bytes() == CONTENT


# --- the disk --------------------------------------------------------------------------------------------------------


def pretend_free(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12 - free, free))


def test_a_disk_without_room_is_told_before_anything_is_asked_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = server.pages["/one.bin"] = Page(cuts=[400_000, 0, 0, 0])
    pretend_free(monkeypatch, 500_000)
    with pytest.raises(EnvironmentLackError, match="Not enough disk space"):
        get(source(server), tmp_path)
    assert server.requests == []
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(DownloadError):
        get(source(server), tmp_path)
    # what is there already needs no room
    page.cuts = []
    pretend_free(monkeypatch, 250_000)
    get(source(server), tmp_path)


def test_a_disk_that_fills_up_keeps_what_was_received(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages["/one.bin"] = Page()
    usual = ByteProgress.add

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ByteProgress, "add", full)
    with pytest.raises(OSError, match="No space left"):
        get(source(server), tmp_path)
    assert len(server.requests) == 1
    assert PartFile(tmp_path / "folder" / "one.bin").size > 0
    monkeypatch.setattr(ByteProgress, "add", usual)
    get(source(server), tmp_path)
    assert server.requests[1].range != "bytes=0-"


def test_progress_tells_share_and_rest(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = iter([0.0, 5.0, 20.0, 21.0])
    monkeypatch.setattr("terranas.data.transfer.time.monotonic", lambda: next(clock))
    report = ByteProgress("one", 4_000_000_000, done=1_000_000_000)
    for _ in range(3):
        report.add(500_000_000)
    assert [record.getMessage() for record in caplog.records] == [
        "one: 2.00 GB of 4.00 GB (50 %), 40 s left, 50.0 MB/s"
    ]


# --- the table of sources --------------------------------------------------------------------------------------------


def test_the_table_has_the_names_of_the_configuration() -> None:
    sources = read_sources()
    assert set(sources) == set(get_args(DownloadName))
    assert all(source.checksum for source in sources.values())
    assert {source.file for source in sources.values() if source.name.startswith("so2sat")} == {
        "so2sat_lcz42/training.h5",
        "so2sat_lcz42/validation.h5",
        "so2sat_lcz42/testing.h5",
    }


def test_addresses_give_the_file_itself() -> None:
    """A packed copy can never pass the checksum of the file."""
    for listed in read_sources().values():
        assert all(address.endswith(Path(listed.file).name) for address in listed.addresses), listed.name


def test_sizes_of_so2sat_are_those_of_its_patches() -> None:
    for name, patches in (("training", 352_366), ("validation", 24_119), ("testing", 24_188)):
        assert read_sources()[f"so2sat_{name}"].bytes == patches * SO2SAT_IMAGE_BYTES


def write_csv(path: Path, *rows: dict[str, Any]) -> Path:
    lines = [",".join(rows[0])] + [",".join("" if v is None else str(v) for v in r.values()) for r in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_is_read(tmp_path: Path) -> None:
    other = {"name": "two", "file": "two.bin", "checksum": None, "bytes": None}
    path = write_csv(tmp_path / "t.csv", row(), row(**other))
    sources = read_sources(path)
    assert list(sources) == ["one", "two"]
    assert sources["one"].model_dump() == row()
    assert sources["two"].model_dump() == row(**other)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "http://example.org/one.bin"}, "line 2: url: must be an address like https://host/path"),
        ({"mirror": "ftp://example.org/one.bin"}, "line 2: mirror: must be an address like"),
        ({"url": "https://user:word@example.org/one.bin"}, "line 2: url: must be an address like"),
        ({"page": "example.org"}, "line 2: page: must be an address like"),
        ({"file": "../one.bin"}, "line 2: file: must be a path below the folder"),
        ({"file": "/one.bin"}, "line 2: file: must be a path below the folder"),
        ({"file": "folder//one.bin"}, "line 2: file: must be a path below the folder"),
        ({"file": "one.json"}, r"line 2: file: .* not end in .json"),
        ({"file": "one.lock"}, r"line 2: file: .* not end in .json, .part, .lock"),
        (
            {"checksum": "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"},
            "line 2: checksum: must start with one of md5:",
        ),
        ({"checksum": "md5:abc"}, "line 2: checksum: must have 32 lower-case hex digits"),
        ({"checksum": None, "note": ""}, "line 2: row: a row without a checksum must say why"),
        ({"bytes": "1.5 GB"}, "line 2: bytes must be a whole number, got '1.5 GB'"),
        ({"bytes": 0}, "line 2: bytes: .* greater than 0"),
        ({"licence": ""}, "line 2: licence: "),
        ({"name": "One"}, "line 2: name: "),
        ({"colour": "red"}, "has the columns name, .*, colour; expected"),
    ],
)
def test_a_bad_row_is_refused_by_line_and_column(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_sources(write_csv(tmp_path / "t.csv", row(**changed)))


@pytest.mark.parametrize("same", [{"name": "two"}, {"file": "two.bin"}])
def test_names_and_files_stand_once(tmp_path: Path, same: dict[str, Any]) -> None:
    with pytest.raises(TableError, match=r"line 3: name .* stands there twice"):
        read_sources(write_csv(tmp_path / "t.csv", row(), row(**same)))


def test_a_row_with_too_few_or_too_many_fields_is_refused(tmp_path: Path) -> None:
    for tail in ("", ",".join(map(str, row().values())) + ",more"):
        path = tmp_path / "t.csv"
        path.write_text(",".join(row()) + "\n" + (tail or "one,one.bin") + "\n")
        with pytest.raises(TableError, match="line 2"):
            read_sources(path)


def test_an_empty_table_names_the_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(TableError, match="expected name, file, url"):
        read_sources(tmp_path / "t.csv")


def test_the_workflow_reads_table_and_receipts_without_heavy_modules() -> None:
    code = (
        "import sys, terranas.data.sources, terranas.data.receipts; terranas.data.sources.read_sources();"
        "print({'requests', 'pandas', 'numpy', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


# --- receipts and the script -----------------------------------------------------------------------------------------


def run_script(wanted: Source, receipt: Path) -> None:
    """Run the rule's script as Snakemake does, which removes the receipt first."""
    params = {"source": wanted.model_dump(mode="json"), "state": download_state(receipt)}
    receipt.unlink(missing_ok=True)
    snakemake = SimpleNamespace(
        output=SimpleNamespace(receipt=str(receipt)), params=SimpleNamespace(**params), log=[str(receipt) + ".log"]
    )
    runpy.run_path(str(ROOT / "workflow_scripts/data/download.py"), init_globals={"snakemake": snakemake})


def test_the_state_changes_when_the_file_does_and_settles_when_the_job_ran(tmp_path: Path) -> None:
    wanted = Source.model_validate(row())
    target, receipt = tmp_path / "one.bin", tmp_path / "one.bin.json"
    assert file_of(receipt) == target
    assert download_state(receipt) == FRESH
    target.write_bytes(CONTENT)
    run_script(wanted, receipt)
    content = read_json(receipt)
    assert content["state"] == FRESH
    assert content["verified"]
    assert download_state(receipt) == FRESH
    # altered, though with the right content; then the job ran
    os.utime(target, ns=(1, 1))
    changed = download_state(receipt)
    assert changed == f"another file than in the receipt of {content['date']}"
    run_script(wanted, receipt)
    assert download_state(receipt) == changed
    # and again: another text than the last one, or nothing would run
    os.utime(target, ns=(2, 2))
    assert download_state(receipt) not in (FRESH, changed)
    target.unlink()
    assert download_state(receipt).startswith("no file for the receipt of")
    for damaged in ("{", "[]", "{}"):
        receipt.write_text(damaged)
        assert download_state(receipt).startswith("unreadable receipt")


def test_a_failing_script_writes_no_receipt_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "one.bin").write_bytes(bytes(len(CONTENT)))
    receipt = tmp_path / "one.bin.json"
    with pytest.raises(SystemExit):
        run_script(Source.model_validate(row()), receipt)
    assert not receipt.exists()
    log = Path(f"{receipt}.log").read_text()
    assert "is not the published file" in log
    assert "Traceback" not in log


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_lists_what_the_table_lists() -> None:
    page = (ROOT / "docs" / "downloads.md").read_text()
    listed = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    assert [line[:4] for line in listed] == [
        [source.name, source.file, format_size(source.bytes), source.licence] for source in read_sources().values()
    ]
    assert str(TABLE.relative_to(ROOT)) in page
    for source in read_sources().values():
        assert source.page in page
