"""Packs of programs that stand for trainings: one dies, one hangs, one fails at first; and the GPUs of each."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from terranas.config.study import StudyConfig
from terranas.core.errors import EnvironmentLackError
from terranas.core.files import sha256_file
from terranas.training import pack
from terranas.training.deadline import Stop
from terranas.training.job import finished_result
from terranas.training.launch import INTERRUPTED_EXIT, WATCHED
from terranas.training.pack import gpu_shares, run_pack

from ..waiting import until

MEMBER = """
import json, os, signal, sys, time
from pathlib import Path
from terranas.training import launch
from terranas.training.deadline import Stop

folder = Path(sys.argv[1])
job = json.loads((folder / "job.json").read_text())
launch.end_with_parent()
stop = Stop(None)
stop.listen()
state = Path(job["state"])
starts = state / (job["name"] + ".starts")
with starts.open("a") as file:
    file.write(json.dumps([os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ["OMP_NUM_THREADS"]]) + "\\n")
attempt = len(starts.read_text().splitlines())
print("member", job["name"], "attempt", attempt, flush=True)
def fail(reason):
    (folder / "outcome.json").write_text(json.dumps({"reason": reason}))
    sys.exit(1)
def until_stopped():
    while not stop.reason():
        time.sleep(0.05)
"""


@dataclass(frozen=True)
class Job:
    """As much of a training job as a pack looks at."""

    name: str
    state: str
    recipe: dict = field(default_factory=lambda: {"device": "cpu", "processes": 1, "threads": 3})

    @property
    def cell(self):
        return SimpleNamespace(hash=self.name)


@pytest.fixture
def members(tmp_path, monkeypatch):
    """Give each member a program of its own by name; returns the jobs."""
    (tmp_path / "results" / "training").mkdir(parents=True)
    monkeypatch.setattr(pack, "MEMBER", "fake_member")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def make(**programs):
        cases = "".join(
            f"if job['name'] == {name!r}:\n{textwrap.indent(textwrap.dedent(program).strip(), '    ')}\n"
            for name, program in programs.items()
        )
        (tmp_path / "fake_member.py").write_text(MEMBER + cases)
        return [Job(name, str(tmp_path / "results" / "training")) for name in programs]

    return make


def starts(job):
    return [json.loads(line) for line in (Path(job.state) / f"{job.name}.starts").read_text().splitlines()]


def test_each_has_its_own_fate(members, monkeypatch, caplog):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    jobs = members(
        well="pass",
        dies="os.kill(os.getpid(), signal.SIGKILL)",
        second="sys.exit(0 if attempt == 2 else 3)",
        never="fail(f'no disk in attempt {attempt}')",
    )
    assert run_pack(jobs, attempts=2) == {
        "well": "finished",
        "dies": "killed by signal 9",
        "second": "finished",
        "never": "no disk in attempt 2",
    }
    seen = {job.name: starts(job) for job in jobs}
    assert {name: len(content) for name, content in seen.items()} == {"well": 1, "dies": 2, "second": 2, "never": 2}
    # a GPU of its own, which it keeps
    assert [{gpu for _, gpu, _ in content} for content in seen.values()] == [{"4"}, {"5"}, {"6"}, {"7"}]
    assert {threads for content in seen.values() for _, _, threads in content} == {"3"}
    logs = Path(jobs[0].state).parent / "logs" / "training"
    assert (logs / "well.packed.log").read_text() == "member well attempt 1\n"
    assert (logs / "second.packed.log").read_text() == "member second attempt 1\nmember second attempt 2\n"
    assert "never failed in attempt 1 of 2: no disk in attempt 1" in caplog.text
    assert "member dies attempt 2" in caplog.text


def test_one_that_hangs_until_it_is_killed_is_started_again(members):
    jobs = members(well="pass", hangs="time.sleep(600) if attempt == 1 else None")
    path = Path(jobs[1].state) / "hangs.starts"
    killer = threading.Thread(
        target=lambda: (until(path.exists), until(path.read_text), os.kill(starts(jobs[1])[0][0], signal.SIGKILL))
    )
    killer.start()
    assert run_pack(jobs) == {"well": "finished", "hangs": "finished"}
    killer.join()
    assert len(starts(jobs[1])) == 2


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGTERM"])
def test_a_request_to_stop_reaches_all_and_nothing_is_started_again(members, name, caplog):
    caplog.set_level("INFO")
    jobs = members(
        well="pass",
        saves=f"until_stopped(); sys.exit({INTERRUPTED_EXIT} if stop.reason() == {name!r} else 1)",
        late="signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.signal(signal.SIGUSR1, signal.SIG_DFL);"
        "time.sleep(600)",
        fails="until_stopped(); fail('could not save')",
    )
    stop = Stop(None)
    folder = Path(jobs[0].state)

    def all_began_and_one_ended():
        return len(list(folder.iterdir())) == 4 and "well: finished" in caplog.text

    threading.Thread(target=lambda: (until(all_began_and_one_ended), stop.request(name))).start()
    outcomes = run_pack(jobs, stop=stop)
    assert outcomes == {
        "well": "finished",
        "saves": "interrupted",
        "late": "interrupted",
        "fails": "could not save",
    }
    assert [len(starts(job)) for job in jobs] == [1, 1, 1, 1]


def test_members_end_with_their_parent(members):
    jobs = members(a="time.sleep(600)", b="time.sleep(600)")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from tests.training.test_pack import Job, pack; "
        "pack.MEMBER = 'fake_member'; "
        "pack.run_pack([Job(name, sys.argv[2]) for name in 'ab'])"
    )
    command = [sys.executable, "-c", program, str(Path(__file__).parents[2]), jobs[0].state]
    # what a killed parent leaves behind is not to stay on this machine
    parent = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(Path(jobs[0].state).parent)})
    until(lambda: all((Path(job.state) / f"{job.name}.starts").exists() for job in jobs))
    until(lambda: all(len(starts(job)) == 1 for job in jobs))
    parent.kill()
    parent.wait()
    until(lambda: not any(Path(f"/proc/{starts(job)[0][0]}").exists() for job in jobs))


# --- GPUs ------------------------------------------------------------------------------------------------------------


def with_device(device, count=2, processes=1):
    recipe = {"device": device, "processes": processes, "threads": 1}
    return [Job(str(index), "state", recipe) for index in range(count)]


@pytest.mark.parametrize("device", ["cpu", "auto", "cuda"])
def test_gpus_are_dealt_out(device):
    granted = {"CUDA_VISIBLE_DEVICES": "2, GPU-8932f937,7"}
    assert [share["CUDA_VISIBLE_DEVICES"] for share in gpu_shares(with_device(device), granted, 3)] == [
        "2",
        "GPU-8932f937",
    ]
    assert [share["CUDA_VISIBLE_DEVICES"] for share in gpu_shares(with_device(device, 3), {}, 4)] == ["0", "1", "2"]
    two_each = gpu_shares(with_device(device, 2, 2), {"CUDA_VISIBLE_DEVICES": "3,2,1,0"}, 4)
    assert [share["CUDA_VISIBLE_DEVICES"] for share in two_each] == ["3,2", "1,0"]


@pytest.mark.parametrize(("device", "found", "granted"), [("cuda", 0, None), ("cuda", 1, "0"), ("auto", 4, "3")])
def test_too_few_gpus_are_told(device, found, granted):
    environment = {} if granted is None else {"CUDA_VISIBLE_DEVICES": granted}
    with pytest.raises(EnvironmentLackError, match=r"2 architectures in one job need 2 GPUs, but there are [01] "):
        gpu_shares(with_device(device), environment, found)


@pytest.mark.parametrize(
    ("device", "found", "environment"), [("cpu", 1, {}), ("auto", 0, {}), ("cpu", 0, {"CUDA_VISIBLE_DEVICES": ""})]
)
def test_cpus_need_no_gpus(device, found, environment):
    assert gpu_shares(with_device(device), environment, found) == [{}, {}]


def test_settings_of_the_page_are_valid():
    """docs/packing.md: its YAML blocks, those of a study by its schema."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "packing.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    packed, together, profile = blocks
    assert StudyConfig.model_validate(packed).campaign.pack == 4
    assert StudyConfig.model_validate(together).training.processes == 4
    assert profile == {"set-resources": {"training_train": {"nodes": 2}}}


def test_members_watch_their_parent(members):
    jobs = members(a=f"assert os.environ[{WATCHED!r}] == '{os.getpid()}'")
    assert run_pack(jobs, attempts=1) == {"a": "finished"}


def test_real_members(job, tmp_path):
    """Two architectures whose results lie in their own states; the third one lacks an array."""
    operations = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
    manifest, arrays = job().manifest, job().arrays
    for name, path in arrays.items():
        split, _, part = name.rpartition("_")
        manifest["splits"][split][f"sha256_{part}"] = sha256_file(path)
    jobs = [job(operations=f"input,{name},maxpool3x3,output", manifest=manifest) for name in operations]
    lacking = jobs.pop()
    lacking = replace(lacking, arrays=lacking.arrays | {"test_images": str(tmp_path / "missing.npy")})
    outcomes = run_pack([*jobs, lacking], attempts=1)
    assert [outcomes[one.cell.hash] for one in jobs] == ["finished", "finished"]
    assert "missing.npy cannot be read" in outcomes[lacking.cell.hash]
    assert all(finished_result(one).outcome == "ok" for one in jobs)
    assert finished_result(lacking) is None
    assert "missing.npy" in (tmp_path / "logs" / "training" / f"{lacking.cell.hash}.packed.log").read_text()
