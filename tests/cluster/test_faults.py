"""A campaign of 60 short trainings, and all that a cluster can do to it.

Faults inside a process come from hooks/sitecustomize.py, those from outside from here. docs/faults.md shows the table
that this test prints.
"""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from .results import assert_equal, assert_one_at_a_time, journals, read_training, starts
from .slurm import Cluster, Job, wait_until
from .studies import ROOT, Snakemake, Study

pytestmark = pytest.mark.cluster

BATCH = 34
NO_SPACE = "No space left on device"
RETRIES = 2
"""As slurm/config.yaml says."""
MEMORY = 1500
"""MB that the first attempt of a job may take."""
SETTINGS = {
    "network": {"stem_channels": 4, "stacks": 2},
    "data": {"synthetic": {"train": 136, "validation": 68, "test": 68}},
    # 60 different cells
    "sampling": {
        "walks": 12,
        "steps": 4,
        "unique": "study",
        "architectures": "walks",
        "neighbourhood": "edit_symmetric",
    },
    "training": {"epochs": 4, "batch_size": BATCH},
    "campaign": {"checkpoint_every": 2, "deadline_margin": 60, "lease_seconds": 30},
}


@dataclass(frozen=True)
class Fault:
    """One kind of fault; `hook` is what hooks/sitecustomize.py does, "" nothing.

    Attributes:
        name: what the table calls it.
        done: what is done to the trainings.
        outcome: what comes of it.
        trainings: how many trainings it befalls.
        hook: what happens inside their processes.
        attempts: fewest and most starts of a training beyond its first one.
        shown: text that snakemake must print; "" where no job fails.
    """

    name: str
    done: str
    outcome: str
    trainings: int
    hook: str
    attempts: tuple[int, int]
    shown: str = ""


FAULTS = (
    Fault(
        "process killed",
        "SIGKILL after epoch 3",
        "the retry goes on from the checkpoint of epoch 2",
        3,
        "kill",
        (1, 1),
        "SIGKILL",
    ),
    Fault(
        "killed in every attempt",
        "SIGKILL after each epoch",
        "given up after 2 retries, with its log shown; accepted by `terranas accept`, so that the study goes on",
        1,
        "kill_always",
        (2, 2),
        "SIGKILL",
    ),
    Fault(
        "job cancelled",
        "scancel after epoch 1",
        "saves itself on SIGTERM; the retry goes on from there",
        2,
        "hold",
        (1, 1),
        "CANCELLED",
    ),
    Fault(
        "out of memory, Slurm",
        f"takes more than the job's --mem of {MEMORY} MB",
        "killed by Slurm; the retry gets twice the memory",
        2,
        "memory",
        (1, 1),
    ),
    Fault(
        "out of memory, GPU",
        "torch's error unless at most half the batch is in memory",
        "goes on in the same job with half the micro-batch, which stands in the status",
        2,
        "device_memory",
        (0, 0),
    ),
    Fault(
        "time limit",
        "needs longer than the job's 2 minutes",
        "saves itself at its own deadline and is queued again, without using up a retry",
        2,
        "slow",
        (1, 1),
    ),
    Fault(
        "node set down",
        "`scontrol update state=down`, later resume",
        "Slurm queues the job again; it goes on",
        1,
        "hold",
        (1, 2),
    ),
    Fault(
        "node lost",
        "slurmd and all of its jobs' processes killed",
        "Slurm finds the node dead and queues the job again; it goes on",
        1,
        "hold",
        (1, 2),
    ),
    Fault(
        "diverged",
        "weights turn NaN in the third step",
        "a result: outcome `diverged` with the reason",
        2,
        "not_a_number",
        (0, 0),
    ),
    Fault(
        "disk full",
        "state folder on a full disk, which gets room later",
        "fails and says so; a retry trains it",
        1,
        "full_disk",
        (0, 2),
        NO_SPACE,
    ),
    Fault(
        "controller restarted",
        "slurmctld stopped for 5 s",
        "jobs run on; snakemake asks again",
        1,
        "hold",
        (0, 1),
    ),
    Fault(
        "snakemake killed",
        "SIGKILL, then `terranas campaign resume`",
        "what ran is adopted or taken over; nothing is trained twice",
        2,
        "hold",
        (0, 1),
    ),
)


PROGRESS = {
    "job cancelled": 0,
    "node set down": 6,
    "controller restarted": 12,
    "snakemake killed": 20,
    "node lost": 30,
}
"""Faults from outside, in the order in which they come, and how many trainings are finished before."""

LIMIT_SECONDS = 1800
COLLATERAL = 3
"""Most further starts of a training that stood beside a fault: two nodes go down, one controller."""


class Campaign:
    """The study under faults."""

    def __init__(self, study: Study, cluster: Cluster, folder: Path) -> None:
        self.study, self.cluster, self.folder = study, cluster, folder
        self.victims: dict[str, list[str]] = {}
        self.notes: list[str] = []
        self.has_room = False

    def choose(self, architectures: list[str]) -> None:
        """Say which architecture meets which fault; those left meet none, on purpose at least."""
        left = iter(sorted(architectures))
        self.victims = {fault.name: [next(left) for _ in range(fault.trainings)] for fault in FAULTS}
        self.victims["none"] = list(left)
        plan = {victim: fault.hook for fault in FAULTS if fault.hook for victim in self.victims[fault.name]}
        (self.folder / "plan.json").write_text(json.dumps(plan))

    def drive(self, snakemake: Snakemake) -> Snakemake:
        """Inject the faults from outside, each once its victims wait for it; return the snakemake of the end."""
        acts: dict[str, Callable[[list[str]], Snakemake | None]] = {
            "job cancelled": self.cancel,
            "node set down": self.node_down,
            "controller restarted": self.restart_controller,
            "snakemake killed": lambda victims: self.kill_snakemake(snakemake, victims),
            "node lost": self.lose_node,
        }
        todo = list(PROGRESS)
        end = time.monotonic() + LIMIT_SECONDS
        while snakemake.running or todo:
            self.require(time.monotonic() < end, "the campaign takes too long")
            self.require(snakemake.running or not todo, f"snakemake ended before {', '.join(todo)}")
            if todo and self.finished() >= PROGRESS[todo[0]] and self.is_ripe(todo[0]):
                name = todo.pop(0)
                self.note(f"{name}: {', '.join(self.victims[name])}")
                snakemake = acts[name](self.victims[name]) or snakemake
                self.note(f"{name}: done")
            self.make_room()
            time.sleep(0.5)
        return snakemake

    def is_ripe(self, name: str) -> bool:
        """Whether a fault can be injected now."""
        if name == "snakemake killed":
            (lost,) = self.victims["killed in every attempt"]
            tries = [job for job in self.cluster.queue() if lost in job.comment]
            if len(tries) <= RETRIES or not all(job.over for job in tries):
                return False
        return all(map(self.waits, self.victims[name]))

    def printed(self) -> str:
        """Return what all snakemakes have printed."""
        return "\n".join(each.output for each in self.study.started)

    def require(self, holds: bool, otherwise: str) -> None:
        """Fail with what one needs to see why."""
        if not holds:
            notes = "\n".join(self.notes)
            jobs = "\n".join(str(job) for job in self.cluster.queue() if not job.over)
            outputs = "\n".join(each.output[-3000:] for each in self.study.started)
            pytest.fail(f"{otherwise}\n{notes}\n{jobs}\n{self.cluster.nodes()}\n{outputs}\n{self.cluster.log()}")

    def note(self, text: str) -> None:
        """Keep a line for the case that the test fails."""
        self.notes.append(f"{time.strftime('%H:%M:%S')} {self.finished()} finished; {text}")

    def finished(self) -> int:
        """Return how many trainings have their result."""
        return len(list(self.study.results.glob("training/*/status.json")))

    def waits(self, architecture: str) -> bool:
        """Whether a training waits for its fault now (a mark may stay from an attempt that is over)."""
        mark = self.folder / f"{architecture}.ready"
        return mark.exists() and Path("/proc", mark.read_text().split()[1], "cmdline").exists()

    def release(self, architecture: str) -> None:
        """Let a waiting training go on, now and in later attempts."""
        (self.folder / f"{architecture}.done").touch()

    def job_of(self, architecture: str) -> Job:
        """Return the job that a waiting training runs in."""
        number = int((self.folder / f"{architecture}.ready").read_text().split()[0])
        return next(job for job in self.cluster.queue() if job.id == number)

    # --- faults from outside ------------------------------------------------------------------------------------------

    def cancel(self, victims: list[str]) -> None:
        for victim in victims:
            self.cluster.cancel(self.job_of(victim).id)
            self.release(victim)

    def node_down(self, victims: list[str]) -> None:
        job = self.job_of(victims[0])
        self.cluster.node_down(job.node)
        self.release(victims[0])
        wait_until(lambda: self.job_of(victims[0]).restarts > job.restarts, 30, "the job is queued again")
        self.cluster.node_up(job.node)

    def lose_node(self, victims: list[str]) -> None:
        job = self.job_of(victims[0])
        self.cluster.kill_node(job.node)
        self.release(victims[0])
        wait_until(lambda: self.cluster.nodes()[job.node].startswith("down"), 90, "the node is seen to be down")
        self.cluster.start_node(job.node)

    def restart_controller(self, victims: list[str]) -> None:
        self.cluster.stop_controller()
        time.sleep(5)
        self.cluster.start_controller()
        self.release(victims[0])

    def kill_snakemake(self, snakemake: Snakemake, victims: list[str]) -> Snakemake:
        snakemake.kill()
        self.release(victims[0])
        alone = self.study.folder / self.study.output_of(victims[0])
        wait_until(alone.exists, 60, "a training ends while there is no snakemake")
        (lost,) = self.victims["killed in every attempt"]
        accepting = self.study.terranas("accept", lost, "--reason", "killed in every attempt")
        self.require(accepting.wait(60) == 0, "the failure is accepted")
        resumed = self.study.resume("training")
        time.sleep(5)
        self.release(victims[1])
        return resumed

    # --- the full disk ------------------------------------------------------------------------------------------------

    def make_room(self) -> None:
        """Give the full disk room once a job has failed of it."""
        if self.has_room or not any(NO_SPACE in each.output for each in self.study.started):
            return
        for place in self.mounted():
            subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
        self.release(self.victims["disk full"][0])
        self.has_room = True
        self.note("the full disk has room again")

    def mounted(self) -> list[str]:
        """Return what hooks/sitecustomize.py has mounted."""
        return [mark.read_text() for mark in self.folder.glob("*.mounted")]

    def close(self) -> None:
        """Take the mounted disk away."""
        for place in self.mounted():
            subprocess.run(["umount", "--lazy", place], check=False)


@pytest.fixture
def campaign(cluster, studies, tmp_path):
    """The study, prepared, and what will happen to it."""
    faults = tmp_path / "study" / "faults"
    faults.mkdir(parents=True)
    resources = {
        "training_train": {
            "mem_mb": f"attempt * {MEMORY}",
            "runtime": "2 if wildcards.hash in open('faults/short').read() else 20",
            # no early signal for the short jobs: their own clock must do, and Slurm would send it while they start up
            "slurm_extra": "'' if wildcards.hash in open('faults/short').read() else '--signal=USR1@90'",
        }
    }
    variables = {"FAULTS": str(faults), "FAULTS_MEGABYTES": "1200", "FAULTS_BATCH": str(BATCH)}
    study = studies(settings=SETTINGS, resources=resources, environment=variables)
    made = Campaign(study, cluster, faults)
    try:
        made.choose(study.architectures)
        (faults / "short").write_text(" ".join(made.victims["time limit"]))
        yield made
    finally:
        made.close()


def test_a_campaign_survives_all_that_a_cluster_can_do_to_it(campaign, studies, capsys):
    study, victims = campaign.study, campaign.victims
    assert len(study.architectures) == 60
    # before a node is lost: whose job is not even started there gets more memory without having lacked any
    early = [study.output_of(victim) for name in (*PROGRESS, "out of memory, Slurm") for victim in victims[name]]
    last = campaign.drive(study.start("training", "--prioritize", *early))
    assert last.process.returncode == 0, last.output[-8000:]
    assert "Nothing to be done" in study.run("training")
    printed, events = campaign.printed(), journals(study.results)

    # no file is damaged; outcomes are what they must be
    results = {name: read_training(study.results, name) for name in study.architectures}
    outcomes = {name: result["status"].outcome for name, result in results.items()}
    expected = {"diverged": "diverged", "killed in every attempt": "accepted_failure"}
    for name, members in victims.items():
        assert {outcomes[member] for member in members} == {expected.get(name, "ok")}, name
    for member in victims["out of memory, GPU"]:
        assert results[member]["status"].micro_batch == BATCH // 2
    for member in victims["diverged"]:
        assert "not finite" in results[member]["status"].reason
    assert not list(study.results.glob("training/**/.*.tmp*")), "no half-written file"

    # nothing ran twice at once or after its end
    assert sorted(events) == sorted(study.architectures)
    for name in study.architectures:
        assert_one_at_a_time(events[name])

    for name in victims["time limit"]:
        assert "time limit" in [event.get("reason") for event in events[name]]
        jobs = [job for job in campaign.cluster.queue() if name in job.comment]
        # cancelled: it waited for its next start when snakemake was killed
        assert {job.state for job in jobs} <= {"COMPLETED", "CANCELLED"}, "no retry is used up"
        assert jobs[0].restarts >= 1

    # interrupted trainings gave what undisturbed ones give
    disturbed = [name for name in study.architectures if len(starts(events[name])) > 1 and outcomes[name] == "ok"]
    calm = studies("calm", settings=SETTINGS)
    calm.run(*[calm.output_of(name) for name in disturbed], profile=None)
    for name in disturbed:
        assert_equal(results[name], read_training(calm.results, name))

    rows = [row(fault, [len(starts(events[name])) - 1 for name in victims[fault.name]]) for fault in FAULTS]
    with capsys.disabled():
        print("\n".join(["", *rows, *campaign.notes]))
    for fault in FAULTS:
        extra = [len(starts(events[name])) - 1 for name in victims[fault.name]]
        assert min(extra) >= fault.attempts[0], fault.name
        assert max(extra) <= fault.attempts[1] + COLLATERAL, fault.name
        assert fault.shown in printed, f"{fault.name}: snakemake did not show '{fault.shown}'"
    documented = (ROOT / "docs" / "faults.md").read_text()
    for line in rows:
        assert line.rpartition("|")[0].rpartition("|")[0] in documented, "docs/faults.md shows this table"


def row(fault: Fault, extra: list[int]) -> str:
    """Return a line of the table."""
    span = str(min(extra)) if min(extra) == max(extra) else f"{min(extra)} to {max(extra)}"
    return f"| {fault.name} | {fault.trainings} | {fault.done} | {fault.outcome} | {span} |"
