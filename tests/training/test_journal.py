"""The journal of a training survives whoever writes it."""

import json
import os
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terranas.training.journal import FILE_NAME, Journal, read_journal


def test_events_come_back_in_order_with_their_facts(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    journal = Journal(tmp_path / "new", attempt=2)
    journal.add("started", step=0)
    journal.add("finished", step=9, energy=1.5)
    first, last = read_journal(tmp_path / "new")
    assert (first["event"], last["event"]) == ("started", "finished")
    assert (last["step"], last["energy"], last["attempt"]) == (9, 1.5, 2)
    assert (last["host"], last["pid"], last["slurm_job"]) == (socket.gethostname(), os.getpid(), "12")
    assert first["time"] <= last["time"]


def test_there_may_be_no_journal(tmp_path):
    assert read_journal(tmp_path / "none") == []


def test_a_torn_line_costs_itself_only(tmp_path, caplog):
    journal = Journal(tmp_path)
    journal.add("started")
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write('{"time": 1.0, "event": "epo')  # the writer was killed here
    Journal(tmp_path).add("started")
    assert [event["event"] for event in read_journal(tmp_path)] == ["started", "started"]
    assert "line 2, is no event" in caplog.text


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b'"started"',
        b"\xff\xfe\x00",
        b'{"event": "started"}',
        b'{"event": "started", "time": "now"}',
        b'{"event": "started", "time": true}',
        b'{"event": "started", "time": -1}',
        b'{"event": "started", "time": NaN}',
        b'{"event": "rm -rf", "time": 1}',
        b"[" * 100_000,
    ],
)
def test_foreign_lines_are_left_out(tmp_path, line):
    (tmp_path / FILE_NAME).write_bytes(line + b"\n")
    Journal(tmp_path).add("finished")
    assert [event["event"] for event in read_journal(tmp_path)] == ["finished"]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("journal")
    (folder / FILE_NAME).write_bytes(content)
    Journal(folder).add("finished")
    assert read_journal(folder)[-1]["event"] == "finished"


def test_a_journal_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    Journal(tmp_path / "file").add("started")
    assert "could not be written" in caplog.text


def test_many_processes_write_whole_lines(tmp_path):
    code = (
        "import sys; from terranas.training.journal import Journal\n"
        "j = Journal(sys.argv[1])\nfor step in range(200): j.add('checkpoint', step=step, filler='x' * 300)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [writer.wait(300) for writer in writers] == [0, 0, 0]
    # an empty line may stand where a process looked while another one wrote, but no line is ever cut or mixed
    lines = [line for line in (tmp_path / FILE_NAME).read_text().splitlines() if line]
    events = [json.loads(line) for line in lines]
    assert sorted((event["pid"], event["step"]) for event in events) == sorted(
        (writer.pid, step) for writer in writers for step in range(200)
    )
    assert len(read_journal(tmp_path)) == 600
