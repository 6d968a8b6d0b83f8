"""Reasons that Snakemake gives, taken apart: against sentences made by Snakemake's own classes."""

import json

import pytest
from snakemake.jobs import Reason
from snakemake.persistence import ParamsChange

from terranas.config import load_config
from terranas.core.records import record_path
from terranas.inspection.reasons import causes_of
from terranas.inspection.workflow import Job

CONFIG = load_config({})
IN, OUT = ("results/demo/a.npy", "results/demo/odd; name.npy"), ("results/demo/out.parquet",)
OLD_CODE, NEW_CODE = "0123456789abcdef", "fedcba9876543210"


def job_with(fill, inputs=IN):
    reason = Reason()
    fill(reason)
    return Job("search_run", inputs, OUT, (), {}, str(reason))


def causes(fill, metadata, inputs=IN):
    return causes_of(job_with(fill, inputs), metadata, CONFIG)


def params(old, new):
    def fill(reason):
        reason.params_changed = ParamsChange({repr(value) for value in old}, {repr(value) for value in new}, set(OUT))

    return fill


def test_files_are_told_apart_whatever_their_names(tmp_path):
    def fill(reason):
        reason.missing_output.update(OUT)
        reason.updated_input.update(IN)
        reason.updated_input_run.add(IN[1])

    found = causes(fill, tmp_path)
    assert [(cause.kind, cause.files) for cause in found] == [
        ("missing_output", OUT),
        ("updated_input", IN[:1]),
        ("upstream", IN[1:]),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([{"seeds": 10, "starts": 4}], [{"seeds": 30, "starts": 4}], ["params: search.seeds 10 -> 30"]),
        (
            [{"selection": "newest"}],
            [{"selection": "oldest"}],
            ["params: search.local_search.selection newest -> oldest"],
        ),
        (
            [{"local_search": {"order": "given", "acceptance": "all"}}],
            [{"local_search": {"order": "random", "acceptance": "all"}}],
            ["params: search.local_search.order given -> random"],
        ),
        ([[1, 2]], [[25, 30, 35, 40]], ["params: search.budgets.random [1, 2] -> [25, 30, 35, 40]"]),
        # several settings are 4: a value without a name cannot be told
        ([3], [4], ["params: a value 3 -> 4"]),
        ([], [{"seeds": 30}], ["params: a value (none) -> {'seeds': 30}"]),
        ([OLD_CODE], [NEW_CODE], ["code: the script, or what it imports, was changed"]),
        ([[OLD_CODE, OLD_CODE]], [[NEW_CODE, OLD_CODE]], ["code: the script, or what it imports, was changed"]),
        (
            [OLD_CODE, {"alpha": 0.1}, "text"],
            ["other", {"alpha": 0.05}, NEW_CODE],
            [
                "params: a value text -> other",
                "params: comparison.alpha 0.1 -> 0.05",
                "code: the script, or what it imports, was changed",
            ],
        ),
    ],
)
def test_settings_have_their_names_and_both_values(tmp_path, old, new, expected):
    assert [str(cause) for cause in causes(params(old, new), tmp_path)] == expected


def test_params_that_are_no_plain_values_are_given_as_snakemake_gives_them(tmp_path):
    (cause,) = causes(params([float("nan")], [object]), tmp_path)
    assert cause.kind == "other"
    assert "before: nan now: <class 'object'>" in str(cause)


def test_other_inputs_are_named_by_the_record(tmp_path):
    def fill(reason):
        reason.input_changed = True

    assert [str(cause) for cause in causes(fill, tmp_path)] == ["reads other files than before"]
    record = record_path(tmp_path, OUT[0])
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps({"rule": "search_run", "input": [IN[0], "results/demo/gone"]}))
    found = causes(fill, tmp_path)
    assert [(cause.name, cause.files) for cause in found] == [("added", IN[1:]), ("removed", ("results/demo/gone",))]
    record.write_text('{"rule": 7')
    assert len(causes(fill, tmp_path)) == 1


def test_a_reason_that_nobody_knows_is_passed_on(tmp_path):
    (cause,) = causes_of(Job("r", (), OUT, (), {}, "The moon is full"), tmp_path, CONFIG)
    assert (cause.kind, str(cause)) == ("other", "The moon is full")
