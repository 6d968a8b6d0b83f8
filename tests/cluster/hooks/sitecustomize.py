"""Faults inside the processes of a campaign; Python imports this file by itself where its folder is on PYTHONPATH.

$FAULTS is a folder with plan.json, {architecture: fault}. A fault is armed until the file <architecture>.done is there.
"""

import errno
import importlib.abc
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HOLD_SECONDS = 900


def check_often(module):
    """Let snakemake look at its jobs every second; its Slurm plugin does so less and less, up to every 3 minutes."""
    import asyncio

    async def sleep(_):
        await asyncio.sleep(1)

    module.RemoteExecutor.sleep = sleep


def befall(state, event, facts):
    """Inject the fault of the training that has its state in a folder, if it has one that is armed."""
    folder, architecture = Path(os.environ["FAULTS"]), state.name
    plan = json.loads((folder / "plan.json").read_text())
    done = folder / f"{architecture}.done"
    if architecture in plan and not done.exists():
        FAULTS[plan[architecture]](Now(event, facts, state, done))


def inject_before(module):
    """Act before a training looks at its state."""
    hold_lease = module.hold

    def hold(folder, *args, **settings):
        befall(Path(folder), "opened", {})
        return hold_lease(folder, *args, **settings)

    module.hold = hold


def inject_within(module):
    """Act on what a training writes into its journal: it tells where the training stands."""
    write = module.Journal.add

    def add(self, event, **facts):
        write(self, event, **facts)
        befall(self.path.parent, event, facts)

    module.Journal.add = add


# --- faults -----------------------------------------------------------------------------------------------------------


@dataclass
class Now:
    """What the training has just written, its state's folder, and the file that disarms its fault."""

    event: str
    facts: dict
    folder: Path
    done: Path


def hold(now):
    """Wait at the end of an epoch for the fault that the test injects from outside."""
    if now.event != "epoch":
        return
    ready = now.done.with_suffix(".ready")
    ready.with_suffix(".new").write_text(f"{os.environ['SLURM_JOB_ID']} {os.getpid()}")
    ready.with_suffix(".new").replace(ready)
    end = time.monotonic() + HOLD_SECONDS
    while not now.done.exists() and time.monotonic() < end:
        time.sleep(0.1)


def show(now):
    """Tell which GPUs the process sees."""
    if now.event == "started":
        now.done.with_suffix(".gpus").write_text(os.environ["CUDA_VISIBLE_DEVICES"])


def kill(now):
    """Die once, an epoch after a checkpoint."""
    if now.event == "epoch" and now.facts["epoch"] == 3:
        now.done.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def kill_always(now):
    """Die in every attempt."""
    if now.event == "epoch":
        os.kill(os.getpid(), signal.SIGKILL)


def memory(now):
    """Take more memory than the first attempt may have, in every attempt."""
    if now.event == "started":
        globals()["taken"] = os.urandom(1 << 20) * int(os.environ["FAULTS_MEGABYTES"])


def device_memory(now):
    """Have room for a training step with half the batch only."""
    if now.event != "started":
        return
    import torch

    forward, largest = torch.nn.Conv2d.forward, int(os.environ["FAULTS_BATCH"]) // 2

    def limited(self, x):
        if self.training and len(x) > largest:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {len(x)} images (pretended)")
        return forward(self, x)

    torch.nn.Conv2d.forward = limited


def not_a_number(now):
    """Break the weights in the third step."""
    if now.event == "started":
        steps = iter(range(100_000))

        def spoil(optimizer):
            if next(steps) == 2:
                optimizer.param_groups[0]["params"][0].data.fill_(float("nan"))

        after_each_step(spoil)


def full_disk(now):
    """Have a disk that is full: one without room for a checkpoint or, where none may be mounted, what it would say."""
    mounted = now.done.with_suffix(".mounted")
    if now.event == "opened" and not mounted.exists():
        now.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(now.folder)]
        if subprocess.run(command, check=False).returncode == 0:
            mounted.write_text(str(now.folder.resolve()))
    if now.event == "started" and not mounted.exists():
        import torch

        def save(*_, **__):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        torch.save = save


def slow(now):
    """Be too slow for the time limit once."""
    if now.event == "started":
        after_each_step(lambda _: time.sleep(4))
    if now.event == "interrupted":
        now.done.touch()


def after_each_step(act):
    from torch.optim.optimizer import register_optimizer_step_post_hook

    register_optimizer_step_post_hook(lambda optimizer, *_: act(optimizer))


KINDS = (show, hold, kill, kill_always, memory, device_memory, not_a_number, full_disk, slow)
FAULTS = {kind.__name__: kind for kind in KINDS}

# --- acting right after an import, without importing anything early --------------------------------------------------

AFTER_IMPORT = {"snakemake_interface_executor_plugins.executors.remote": check_often}
if "FAULTS" in os.environ:
    AFTER_IMPORT |= {"terranas.training.lease": inject_before, "terranas.training.journal": inject_within}


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, *_):
        act = AFTER_IMPORT.pop(name, None)  # asked again below, this finder has nothing to say
        if act is None:
            return None
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            act(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())
