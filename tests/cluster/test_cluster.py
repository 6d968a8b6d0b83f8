"""The cluster that the other tests use: it works, and nothing of it stays behind."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from .slurm import LINKED, LINKS, processes, wait_until, why_not

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parents[2]
# a session of its own, whose one test leaves a job running
INNER = """
import subprocess, time
from pathlib import Path

def test_fails_or_hangs(cluster):
    folder = Path(__file__).parent
    # a part of the job leaves its parents, by which Slurm would find it, as what a killed step has started does
    job = f"cd {folder}; setsid --fork sh -c 'echo $$ > new; mv new orphan; exec sleep 900'; sleep 900"
    subprocess.run(["sbatch", "--wrap", job], check=True, cwd=folder)
    while "RUNNING" not in [job.state for job in cluster.queue()] or not (folder / "orphan").exists():
        time.sleep(0.1)
    Path(__file__).with_name("ready").write_text(str(cluster.folder))
    assert {hang}, "as asked"
    time.sleep(900)
"""


def slurm_processes() -> list[str]:
    return [name for name in processes().values() if name.startswith("slurm")]


@pytest.mark.parametrize("how", ["fails", "SIGINT", "SIGTERM", "SIGKILL"])
def test_nothing_stays_behind(tmp_path, how):
    if reason := why_not():
        pytest.skip(reason)
    (tmp_path / "test_inner.py").write_text(INNER.replace("{hang}", str(how != "fails")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.cluster.conftest"]
    command += ["-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path / "test_inner.py")]
    variables = os.environ | {"PYTHONPATH": str(ROOT)}
    # started in the background, the tests ignore SIGINT, and what they start would too
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True, preexec_fn=heed
    ) as inner:
        try:
            wait_until((tmp_path / "ready").exists, 60, "a cluster with a job")
            if how != "fails":
                inner.send_signal(signal.Signals[how])
            output = inner.communicate(timeout=60)[0]
        finally:
            inner.kill()
    assert inner.returncode != 0
    assert (how != "fails") or "as asked" in output
    # after a kill the guard needs a moment
    wait_until(lambda: not slurm_processes(), 15, f"no Slurm process left, but {slurm_processes()}")
    orphan = int((tmp_path / "orphan").read_text())
    wait_until(lambda: orphan not in processes(), 5, "the end of what the job had started")
    wait_until(lambda: not [name for name in LINKED if os.path.lexists(LINKS / name)], 5, "no link left")
    assert why_not() == ""


def test_jobs_take_both_nodes_and_gpus_of_their_own(cluster, tmp_path):
    for _ in range(2):
        script = ["--gres=gpu:4", "--output", str(tmp_path / "%j.txt"), "--wrap", "echo $CUDA_VISIBLE_DEVICES"]
        subprocess.run(["sbatch", *script], check=True, cwd=tmp_path, capture_output=True)
    wait_until(lambda: all(job.over for job in cluster.queue()), 30, "jobs done")
    assert {job.node for job in cluster.queue()} == {"n1", "n2"}
    assert [path.read_text() for path in tmp_path.glob("*.txt")] == ["0,1,2,3\n"] * 2


def test_a_second_cluster_is_refused(cluster):
    assert "is running here already" in why_not()
    assert cluster.nodes()
