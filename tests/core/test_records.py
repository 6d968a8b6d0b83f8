"""Reading Snakemake's records, whatever stands in them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake.persistence.file import FilePersistence

from terranas.core.records import Resources, read_record, read_resources, record_path, records

GOOD = {
    "rule": "space_cells",
    "input": ["a.npz"],
    "params": ["'x'", "3"],
    "code": "script",
    "log": ["results/logs/space/cells.log"],
    "input_checksums": {"a.npz": "sha256:" + "0f" * 32},
    "starttime": 10.0,
    "endtime": 12.5,
    "incomplete": False,
}


def write(metadata, output, content):
    path = record_path(metadata, output)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize("output", ["results/a.csv", "results/é ü.csv", f"results/{'long/' * 150}a.csv"])
def test_records_stand_where_snakemake_puts_them(tmp_path, output):
    persistence = FilePersistence(path=tmp_path)
    assert str(record_path(tmp_path / "metadata", output)) == persistence._record_path(
        str(tmp_path / "metadata"), output
    )
    write(tmp_path / "metadata", output, GOOD)
    assert read_record(tmp_path / "metadata", output).rule == "space_cells"


def test_a_record_is_read(tmp_path):
    write(tmp_path, "results/a.csv", GOOD)
    record = read_record(tmp_path, "results/a.csv")
    assert record.inputs == ("a.npz",)
    assert record.params == ("'x'", "3")
    assert record.checksums == {"a.npz": "0f" * 32}
    assert (record.started, record.ended, record.incomplete) == (10.0, 12.5, False)
    assert list(records(tmp_path)) == [record]


@pytest.mark.parametrize("content", ["", "no json", "[]", "7", '{"rule": 3}', '{"rule": ""}', "[" * 100_000, "\x00"])
def test_what_is_no_record_counts_as_missing(tmp_path, content):
    write(tmp_path, "out", content)
    assert read_record(tmp_path, "out") is None
    assert list(records(tmp_path)) == []


def test_no_record_and_no_folder(tmp_path):
    assert read_record(tmp_path / "absent", "out") is None
    assert read_record(tmp_path, "") is None
    assert list(records(tmp_path / "absent")) == []


def test_a_record_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    write(tmp_path, "out", GOOD)
    monkeypatch.setattr("terranas.core.records.LARGEST_RECORD", 10)
    assert read_record(tmp_path, "out") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({"rule": st.just("r")}, optional=dict.fromkeys(set(GOOD) - {"rule"}, JSON)))
def test_fields_of_any_kind_are_read_or_left_out(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("metadata")
    write(folder, "out", content)
    record = read_record(folder, "out")
    texts = (*record.inputs, *record.params, *record.logs, record.code, *record.checksums.values())
    assert all(isinstance(text, str) for text in texts)
    assert record.started is None or record.started >= 0


def test_resources_are_those_of_the_last_row(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("s\th:m:s\tmax_rss\tcpu_time\n1.5\t0:00:01\t10\t1\n2.5\t0:00:02\t20.5\t2\n")
    assert read_resources(path) == Resources(2.5, 2.0, 20.5)
    path.write_text("s\th:m:s\tmax_rss\tcpu_time\n0.1\t0:00:00\tNA\t-\n")
    assert read_resources(path) == Resources(0.1, None, None)


@pytest.mark.parametrize("text", ["", "s\n", "s\tmax_rss\nNA\t1\n", "x\ty\n1\t2\n", "s\ninf\n", "s\n-1\n"])
def test_what_is_no_benchmark_file_counts_as_missing(tmp_path, text):
    path = tmp_path / "a.tsv"
    path.write_text(text)
    assert read_resources(path) is None
    assert read_resources(tmp_path / "absent.tsv") is None
