"""Failed jobs as Snakemake's logs tell of them."""

import time

from terranas.inspection.failures import read_failures

LOG = """\
[Sun Nov 22 17:16:29 2026]
Error in rule training_train:
    message: None
    jobid: 5
    input: a
    output: results/x/status.json, results/x/metrics.parquet
    log: results/logs/x.log (check log file(s) for error details)
Logfile results/logs/x.log:
    output: somebody wrote this into a log
[Sun Nov 22 17:16:30 2026]
rule training_train:
    output: results/y/status.json
"""


def test_the_first_output_tells_which_job_failed_and_when(tmp_path):
    (tmp_path / "2026-01-01T000000.snakemake.log").write_text(LOG)
    found = read_failures(tmp_path)
    assert set(found) == {"results/x/status.json"}
    failure = found["results/x/status.json"]
    assert failure.rule == "training_train"
    assert time.localtime(failure.time)[:6] == (2026, 11, 22, 17, 16, 29)


def test_the_newest_log_counts_and_damaged_ones_are_passed_over(tmp_path):
    (tmp_path / "2026-01-01T000000.snakemake.log").write_text(LOG)
    (tmp_path / "2026-01-02T000000.snakemake.log").write_text(LOG.replace("17:16:29", "18:00:00"))
    (tmp_path / "2026-01-03T000000.snakemake.log").write_bytes(b"\xff\xfe[Sun Foo 99")
    (tmp_path / "2026-01-04T000000.snakemake.log").mkdir()
    failure = read_failures(tmp_path)["results/x/status.json"]
    assert failure.log.name.startswith("2026-01-02")
    assert read_failures(tmp_path / "none") == {}
