"""Where figures and tables come from."""

import hashlib
import os

import pytest

from terranas.report.origins import INPUTS_SHOWN, LONGEST_PARAM, PARAMS_SHOWN, Origins

from .small_site import FINGERPRINT, write_record


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "results" / "space" / "cells.csv"
    path.parent.mkdir(parents=True)
    path.write_text("a,b\n")
    return path


def test_a_job_is_told_with_its_checksums_and_cost(tmp_path, file):
    source = tmp_path / "in.csv"
    source.write_text("x\n")
    inputs = [str(source), str(tmp_path / "small.csv"), str(tmp_path / "gone.csv"), str(tmp_path)]
    sums = {inputs[1]: "sha256:" + "ab" * 32}
    write_record(tmp_path / "meta", file, study=tmp_path / "results", inputs=inputs, input_checksums=sums)
    origin = Origins(tmp_path / "meta").of(str(file))
    assert origin.sha256 == hashlib.sha256(b"a,b\n").hexdigest()
    facts = dict(origin.facts)
    assert facts["Rule"] == "space_rule"
    assert facts["Code (fingerprint)"] == FINGERPRINT
    assert facts["Wall time"] == facts["CPU time"].replace("1 min 01", "1 min 06") == "1 min 06 s"
    assert facts["Most memory"].endswith("MB")
    assert facts["Made"] == "2023-11-14 22:14 UTC"
    assert [text for name, text in origin.facts if name == "Parameter"] == ["'<b>a & b</b>'", "30"]
    assert [told for _, told in origin.inputs] == [
        hashlib.sha256(b"x\n").hexdigest(),
        "ab" * 32,
        "not there any more",
        "a folder",
    ]
    assert origin.further == ""


def test_what_is_long_is_cut_and_counted(tmp_path, file):
    many = {"inputs": [f"in{n}" for n in range(INPUTS_SHOWN + 3)], "params": ["y" * 999] * (PARAMS_SHOWN + 2)}
    write_record(tmp_path / "meta", file, study=tmp_path / "results", log=[], **many)
    origin = Origins(tmp_path / "meta").of(str(file))
    assert len(origin.inputs) == INPUTS_SHOWN
    assert origin.further == "and 3 further files"
    facts = [text for name, text in origin.facts if name == "Parameter"]
    assert len(facts) == PARAMS_SHOWN
    assert {len(text) for text in facts} == {LONGEST_PARAM}
    assert ("Parameters", "and 2 more") in origin.facts
    assert "Wall time" not in dict(origin.facts)


def test_records_that_no_job_writes_are_told_too(tmp_path, file):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    odd = ["\ud800.csv", "a\0b", str(pipe)]
    write_record(
        tmp_path / "meta", file, study=tmp_path / "results", inputs=odd, params=odd[:1], rule="\ud800", endtime=1e30
    )
    origin = Origins(tmp_path / "meta").of(str(file))
    assert origin.inputs == (
        ("?.csv", "not there any more"),
        ("a\0b", "not there any more"),
        (str(pipe), "no regular file"),
    )
    assert ("Rule", "?") in origin.facts
    assert ("Parameter", "?.csv") in origin.facts
    assert "Made" not in dict(origin.facts)


def test_parameters_bear_the_names_of_their_rule(tmp_path, file):
    write_record(tmp_path / "meta", file, study=tmp_path / "results", params=["30", "'cells'", "{'a': 1}"])
    names = {"space_rule": {"seeds": "30", "walks": "30", "what": "'cells'"}, "another_rule": {"setting": "{'a': 1}"}}
    facts = Origins(tmp_path / "meta", names=names).of(str(file)).facts
    assert {("Parameter seeds or walks", "30"), ("Parameter what", "'cells'"), ("Parameter", "{'a': 1}")} <= set(facts)


def test_a_file_without_a_record_has_its_checksum_alone(tmp_path, file):
    origin = Origins(tmp_path / "meta").of(str(file))
    assert origin.facts == origin.inputs == ()
    assert len(origin.sha256) == 64


def test_known_checksums_are_not_computed(tmp_path, file, monkeypatch):
    assert Origins(tmp_path, {str(file): "known"}).of(str(file)).sha256 == "known"
    monkeypatch.setattr("terranas.report.origins.LARGEST_HASHED", 2)
    assert Origins(tmp_path).of(str(file)).sha256.startswith("not computed: 4")
