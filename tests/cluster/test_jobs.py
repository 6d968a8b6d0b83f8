"""Trainings as Slurm jobs: one each on two nodes, one over several processes or nodes, several in one."""

import json
import re
from collections import defaultdict

import pytest
import yaml

from .results import assert_equal, journals, read_training, starts
from .studies import ROOT

pytestmark = pytest.mark.cluster

TINY = {
    "network": {"stem_channels": 4, "stacks": 2},
    "data": {"synthetic": {"train": 136, "validation": 68, "test": 68}},
    "training": {"epochs": 2, "batch_size": 34},
}


def trainings(cluster, study):
    """Return the jobs of a study's trainings by architecture."""
    found = {}
    for job in cluster.queue():
        if cluster.job(job.id)["WorkDir"] == str(study.folder) and "training_train_" in job.comment:
            found[job.comment.rpartition("_")[2]] = job
    return found


def test_twelve_architectures_of_the_default_study(cluster, studies):
    study = studies()
    chosen = sorted(study.architectures)[::8]
    assert len(chosen) == 12
    study.run(*[study.output_of(architecture) for architecture in chosen])

    jobs = trainings(cluster, study)
    assert sorted(jobs) == chosen, "the comment of each job names its architecture"
    assert {job.state for job in jobs.values()} == {"COMPLETED"}
    nodes = [job.node for job in jobs.values()]
    assert set(nodes) == {"n1", "n2"}
    assert min(nodes.count("n1"), nodes.count("n2")) >= 3, "spread, not one after the other"
    assert all(job.name.startswith("terranas") for job in jobs.values())
    for architecture, job in jobs.items():
        # where slurm/README.md says
        log = study.results / "logs" / "training" / f"{architecture}.log"
        assert "epoch 4 of 4" in log.read_text()
        own = study.folder / ".snakemake" / "slurm_logs" / "rule_training_train" / architecture / f"{job.id}.log"
        assert own.exists()
        asked = cluster.job(job.id)
        assert asked["NumCPUs"] == "1"

    here = studies("here")
    here.run(*[here.output_of(architecture) for architecture in chosen], profile=None)
    for architecture in chosen:
        assert_equal(read_training(study.results, architecture), read_training(here.results, architecture))


def test_four_processes_with_four_gpus_train_one_architecture(cluster, studies):
    settings = TINY | {"training": TINY["training"] | {"processes": 4, "batch_size": 17}}
    study = studies(settings=settings, resources={"training_train": {"gpu": 4}})
    chosen = study.architectures[-1]
    study.run(study.output_of(chosen))
    job = trainings(cluster, study)[chosen]
    asked = cluster.job(job.id)
    assert asked["TresPerJob"] == "gres:gpu:4"
    assert asked["NumCPUs"] == "4"
    trained = read_training(study.results, chosen)
    assert trained["status"].processes == 4
    # the numbers depend on the number of processes, not on where they run
    here = studies("here", settings=settings)
    here.run(here.output_of(chosen), profile=None)
    assert_equal(trained, read_training(here.results, chosen))


def test_processes_on_two_nodes_train_one_architecture(cluster, studies):
    settings = TINY | {"training": TINY["training"] | {"processes": 4, "batch_size": 17}}
    resources = {"training_train": {"mpi": "srun", "nodes": 2, "tasks_per_node": 2, "cpus_per_task": 1}}
    study = studies(settings=settings, resources=resources)
    chosen = study.architectures[-1]
    study.run(study.output_of(chosen))
    job = trainings(cluster, study)[chosen]
    assert cluster.job(job.id)["NumNodes"] == "2"
    assert job.node == "n[1-2]"
    here = studies("here", settings=settings)
    here.run(here.output_of(chosen), profile=None)
    assert_equal(read_training(study.results, chosen), read_training(here.results, chosen))


def test_four_architectures_in_one_job_have_a_gpu_each_and_one_may_fail(cluster, studies, tmp_path):
    faults = tmp_path / "faults"
    faults.mkdir()
    # 7 cells: a pack of 4 and one of 3
    settings = yaml.safe_load((ROOT / "tests" / "workflow" / "smallest.yaml").read_text())
    settings |= {"results_dir": "results", "campaign": {"pack": 4}}
    study = studies(settings=settings, resources={"training_pack": {"gpu": 4}}, environment={"FAULTS": str(faults)})
    victim, *others = study.architectures
    (faults / "plan.json").write_text(json.dumps(dict.fromkeys(others, "show") | {victim: "kill_always"}))
    snakemake = study.start("training")
    assert snakemake.wait(300) != 0
    assert victim in snakemake.output
    assert "killed by signal 9" in snakemake.output, "the reason is shown"

    events = journals(study.results)
    packs = defaultdict(list)
    for architecture in others:
        assert read_training(study.results, architecture)["status"].outcome == "ok"
        assert len(starts(events[architecture])) == 1, "the others' end is not disturbed"
        packs[events[architecture][0]["slurm_job"]].append((faults / f"{architecture}.gpus").read_text())
    jobs = {job.id: job for job in cluster.queue()}
    for number, gpus in packs.items():
        assert jobs[int(number)].comment.startswith("rule_training_pack")
        assert cluster.job(int(number))["TresPerJob"] == "gres:gpu:4"
        assert len(set(gpus)) == len(gpus), f"each has a GPU of its own: {gpus}"
        assert set(gpus) <= {"0", "1", "2", "3"}
    assert sorted(map(len, packs.values())) in ([2, 4], [3, 3])
    assert not (study.folder / study.output_of(victim)).exists()

    # going on takes up the one that is left
    receipts = [json.loads(path.read_text()) for path in study.results.glob("training/_packs/*.json")]
    (faults / "plan.json").write_text("{}")
    again = study.run("training")
    members = next(len(receipt) for receipt in receipts if victim in receipt)
    assert re.findall(r"^(training_\w+) +(\d+)$", again, re.MULTILINE) == [
        ("training_pack", "1"),
        ("training_train", str(members)),  # what the others finished is collected once more
    ]
    assert read_training(study.results, victim)["status"].outcome == "ok"
    assert all(len(starts(journals(study.results)[other])) == 1 for other in others)
