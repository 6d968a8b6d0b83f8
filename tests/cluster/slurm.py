"""A real Slurm on this machine: a controller and two nodes of 8 CPUs and 4 pretended GPUs, without systemd.

A guard, a process of its own, waits for the end of the test process and then removes what is left, so that nothing
stays behind even where that one was killed.
"""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LINKS = Path("/etc/slurm")
LINKED = ("slurm.conf", "gres.conf")
MARK = "# a test of terranas made this file"
# any character devices can pretend to be GPUs: they are counted, numbered and never opened
PRETENDED_GPUS = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random")
NODES = ("n1", "n2")
NEEDED = ("slurmctld", "slurmd", "munged", "munge", "unmunge", "scontrol", "squeue", "scancel", "sinfo", "sbatch")
OVER = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "BOOT_FAIL"}
CONFIGURATION = """{mark}
ClusterName=terranas
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# a requeued job starts only after this time and a second (default: 120)
AuthInfo=cred_expire={requeue_seconds}
MpiDefault=none
# no cgroups, which would move jobs out of this machine's own limits
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# a node that did not answer comes back by itself, one that was set down does not
ReturnToService=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
# the nodes claim more CPUs and memory than this machine has
SlurmdParameters=config_overrides
# finished jobs stay in squeue, where snakemake looks for them
MinJobAge=3600
SlurmdTimeout=10
KillWait=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
# kills a job that takes more than its --mem
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/log/jobcomp.txt
{nodes}
# LLN: the node with most idle CPUs is taken first, so that few jobs use both
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP DefMemPerCPU=500 LLN=YES
"""


@dataclass(frozen=True)
class Job:
    """One job as the queue shows it; `comment` names rule and architecture, `restarts` counts requeues."""

    id: int
    name: str
    comment: str
    state: str
    reason: str
    node: str
    restarts: int

    @property
    def over(self) -> bool:
        """Whether the job has ended."""
        return self.state in OVER


def why_not() -> str:
    """Return why no cluster can be started here, or an empty text."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        return f"{', '.join(missing)} not found; install the Debian packages slurm-wlm and munge"
    if os.geteuid() != 0:
        return "a Slurm of one's own needs root"
    if "SLURM_CONF" in os.environ:
        return f"SLURM_CONF is set ({os.environ['SLURM_CONF']}): this machine belongs to a cluster"
    if running := [name for name in processes().values() if name in ("slurmctld", "slurmd")]:
        return f"{running[0]} is running here already; its jobs are not ours to disturb"
    for name in LINKED:
        link = LINKS / name
        ours = link.is_symlink() and (not link.exists() or link.read_text().startswith(MARK))
        if os.path.lexists(link) and not ours:
            return f"{link} is there and was not made by a test: this machine belongs to a cluster"
    return ""


def wait_until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until `true()` holds.

    Raises:
        TimeoutError: it did not within `seconds`; names `what`.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(0.1)


class Cluster:
    """A Slurm with everything below `folder`; start and stop it by `with Cluster(folder).running()`."""

    def __init__(self, folder: Path, requeue_seconds: int = 5) -> None:
        self.folder = folder
        self.requeue_seconds = requeue_seconds
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._guard: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator["Cluster"]:
        """Start all daemons, and stop exactly those, whatever happens between."""
        try:
            self._guard = subprocess.Popen(
                [sys.executable, __file__, str(self.folder)], stdin=subprocess.PIPE, start_new_session=True
            )
            self._configure()
            self._start_munge()
            self.start_controller()
            for node in NODES:
                self.start_node(node)
            wait_until(lambda: set(self.nodes().values()) == {"idle"}, 30, "nodes ready")
            yield self
        finally:
            self._stop()

    # --- what a test does to it ---------------------------------------------------------------------------------------

    def start_controller(self) -> None:
        """Start the controller, which goes on from the state that it saved."""
        self._start("slurmctld", "slurmctld", "-D")
        wait_until(lambda: "is UP" in self._call("scontrol", "ping", check=False), 30, "controller up")

    def stop_controller(self) -> None:
        """Stop the controller; jobs run on."""
        self._end("slurmctld", signal.SIGTERM)

    def start_node(self, node: str) -> None:
        """Start a node's daemon."""
        self._start(f"slurmd-{node}", "slurmd", "-D", "-N", node)

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and all that its jobs run there, as a power failure would."""
        _kill(_users(self.folder / "log" / f"slurmd-{node}.log"))
        self._end(f"slurmd-{node}", signal.SIGKILL)

    def node_down(self, node: str, reason: str = "test") -> None:
        """Set a node down; its jobs are killed and requeued."""
        self._call("scontrol", "update", f"nodename={node}", "state=down", f"reason={reason}")

    def node_up(self, node: str) -> None:
        """Let a node that was set down take jobs again."""
        self._call("scontrol", "update", f"nodename={node}", "state=resume")

    def cancel(self, job: int) -> None:
        """Cancel a job."""
        self._call("scancel", str(job))

    def cancel_all(self) -> None:
        """Cancel all jobs, and wait for their end."""
        self._call("scancel", "--user", "root")
        wait_until(lambda: all(job.over for job in self.queue()), 30, "jobs cancelled")

    def queue(self) -> list[Job]:
        """Return all jobs, also those that are over, in the order they were submitted."""
        jobs = json.loads(self._call("squeue", "--json", "--states", "all"))["jobs"]
        found = [
            Job(
                id=job["job_id"],
                name=job["name"],
                comment=job["comment"],
                state=job["job_state"],
                reason=job["state_reason"],
                node=job["nodes"],
                restarts=job["restart_cnt"],
            )
            for job in jobs
        ]
        return sorted(found, key=lambda job: job.id)

    def nodes(self) -> dict[str, str]:
        """Return the state of each node: idle, mixed, allocated, down, ..."""
        lines = self._call("sinfo", "-h", "-N", "-o", "%N %T", check=False).split("\n")
        return dict(line.split() for line in lines if line)

    def job(self, number: int) -> dict[str, str]:
        """Return all that the controller knows of a job (`scontrol show job`)."""
        text = self._call("scontrol", "--oneliner", "show", "job", str(number))
        return dict(word.split("=", 1) for word in text.split() if "=" in word)

    def log(self, name: str = "slurmctld", lines: int = 30) -> str:
        """Return the tail of a daemon's log."""
        path = self.folder / "log" / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    # --- start and stop -----------------------------------------------------------------------------------------------

    def _configure(self) -> None:
        for name in ("log", "state", "spool", "run"):
            (self.folder / name).mkdir(parents=True)
        ports = _free_ports(1 + len(NODES))
        nodes = [
            f"NodeName={node} NodeHostname={socket.gethostname().split('.')[0]} NodeAddr=127.0.0.1 Port={port} CPUs=8 "
            "RealMemory=20000 Gres=gpu:a100:4 State=UNKNOWN"
            for node, port in zip(NODES, ports[1:], strict=True)
        ]
        text = CONFIGURATION.format(
            mark=MARK,
            host=socket.gethostname().split(".")[0],
            controller=ports[0],
            requeue_seconds=self.requeue_seconds,
            folder=self.folder,
            nodes="\n".join(nodes),
        )
        (self.folder / "slurm.conf").write_text(text)
        gpus = "".join(f"NodeName={n} Name=gpu Type=a100 File={gpu}\n" for n in NODES for gpu in PRETENDED_GPUS)
        (self.folder / "gres.conf").write_text(f"{MARK}\n{gpus}")
        for name in LINKED:
            # where the snakemake inside a job finds it too: that one drops SLURM_CONF
            (LINKS / name).unlink(missing_ok=True)
            (LINKS / name).symlink_to(self.folder / name)

    def _start_munge(self) -> None:
        """Start munge unless it runs already (it may: it serves this machine, not a cluster)."""
        if self._munge_works():
            return
        socket_folder = Path("/run/munge")
        socket_folder.mkdir(mode=0o755, exist_ok=True)
        user = pwd.getpwnam("munge")
        os.chown(socket_folder, user.pw_uid, user.pw_gid)
        self._start("munged", "runuser", "-u", "munge", "--", "munged", "--foreground")
        wait_until(self._munge_works, 15, "munge ready")

    def _munge_works(self) -> bool:
        credential = subprocess.run(["munge", "-n"], capture_output=True, timeout=10, check=False)
        if credential.returncode:
            return False
        return subprocess.run(["unmunge"], input=credential.stdout, capture_output=True, timeout=10).returncode == 0

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / "log" / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LANG": "C"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _end(self, name: str, how: signal.Signals) -> None:
        daemon = self.daemons.pop(name, None)
        if daemon is None:
            return
        daemon.send_signal(how)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait(10)

    def _stop(self) -> None:
        try:
            if "slurmctld" in self.daemons:
                with suppress(Exception):
                    self.cancel_all()
        finally:
            for name in [*(f"slurmd-{node}" for node in NODES), "slurmctld", "munged"]:
                self._end(name, signal.SIGTERM)
            remove(self.folder)
            if self._guard is not None:
                self._guard.communicate(timeout=30)

    @staticmethod
    def _call(*command: str, check: bool = True) -> str:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def processes() -> dict[int, str]:
    """Return the name of every process by its id."""
    names = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            names[int(folder.name)] = (folder / "comm").read_text().strip()
    return names


def _users(place: Path) -> set[int]:
    """Return the processes that have a file open, or one below a folder, and all that they started."""
    found = set()
    for process in processes():
        with suppress(OSError):
            for link in Path(f"/proc/{process}/fd").iterdir():
                with suppress(OSError):
                    if link.readlink().is_relative_to(place):
                        found |= {process} | _descendants(process)
    return found - {os.getpid()}


def _workers(configuration: Path) -> set[int]:
    """Return the processes of a cluster's jobs, those included that lost the parents by which Slurm would find them."""
    with suppress(OSError):
        (port,) = re.findall(r"^SlurmctldPort=(\d+)$", configuration.read_text(), re.MULTILINE)
        mark = f"SLURM_WORKING_CLUSTER=terranas:127.0.0.1:{port}:".encode()
        found = set()
        for process in processes():
            with suppress(OSError):
                environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
                if any(entry.startswith(mark) for entry in environment):
                    found.add(process)
        return found
    return set()


def _kill(processes: set[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def remove(folder: Path) -> None:
    """Remove what is left of a cluster: its daemons, what their jobs run, and the links to its configuration."""
    for _ in range(3):  # a process that is just being started is seen the next time
        _kill(_users(folder / "log") | _workers(folder / "slurm.conf"))
    for name in LINKED:
        link = LINKS / name
        if link.is_symlink() and link.readlink() == folder / name:
            link.unlink()


def _descendants(process: int) -> set[int]:
    """Return all processes below one."""
    parents = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            # the name stands in parentheses and may hold blanks
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    frontier = {process}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier} - found
        found |= frontier
    return found


if __name__ == "__main__":
    # the guard: its input ends when the test process ends, in whatever way
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    sys.stdin.read()
    remove(Path(sys.argv[1]))
