"""What the rules of the training stage ask for: settings, expected resources and packs. No rule stands here."""

from terranas.training import NUMERICS_VERSION as TRAINING_NUMERICS
from terranas.training.campaign_run import announce, announced, withdraw
from terranas.training.expectation import Expectation
from terranas.training.packing import arrange, forget_unfinished


def training_threads():
    """Return the threads of a training; with GPUs, of which this machine's are not counted, it runs alone."""
    threads = STUDY.training.processes * STUDY.training.threads
    return alone(threads) if gpus("training") else threads


def training_recipe():
    """Return the settings that decide a training's numbers; the recipe's name is none, its values are.

    The section `campaign` decides none; scripts read it from `snakemake.config`, which triggers no rerun.
    """
    recipe = settings("training")
    del recipe["recipe"]
    return recipe


def cell_of(wildcards):
    """Return adjacency and operations of a job's architecture."""
    return member_of(wildcards.hash, "adjacency", "operations")


def accepted_reason(wildcards):
    """Return why a failed training was accepted by hand, or an empty text."""
    return ACCEPTED.get(wildcards.hash, "")


EXPECTED = Expectation(STUDY, TRAINABLE)


def expected_of_all(wildcards):
    """Return what each training is expected to take: seconds, memory of the machine and of a GPU, by architecture."""
    found = {name: EXPECTED.of(name) for name in ARCHITECTURES}
    return {name: [one.seconds, one.host_mb, one.device_mb] for name, one in found.items()}


def training_resource(name):
    """Return a resource function: what the estimate says, times the attempt."""

    def resource(wildcards, attempt):
        return EXPECTED.resources([wildcards.hash])[name] * attempt

    return resource


def pack_resource(name):
    """Return a resource function: what the estimates of a pack's architectures say, times the attempt."""

    def resource(wildcards, attempt):
        return EXPECTED.resources(PACKS[int(wildcards.pack)])[name] * attempt

    return resource


def pack_members(wildcards):
    """Return adjacency and operations of a pack's architectures."""
    return [member_of(member, "adjacency", "operations") for member in PACKS[int(wildcards.pack)]]


def pack_of(wildcards):
    """Return the receipt of the pack that trains an architecture; nothing where each has a job of its own."""
    members = [number for number, pack in enumerate(PACKS) if wildcards.hash in pack]
    return [f"{RESULTS}/training/_packs/{number}.json" for number in members]


def packs():
    """Return the architectures of each pack, none where each has a job of its own, and make way for unfinished ones."""
    if STUDY.campaign.pack == 1:
        return []
    looks = not workflow.is_main_process or (DRY_RUN | NO_LIST_NEEDED) & set(sys.argv)
    main = announced(RESULTS)
    # a run that lives needs its receipts, and this one ends at its lock
    if not looks and (main is None or main.process.is_gone() is True):
        forget_unfinished(f"{RESULTS}/training/_packs", ACCEPTED)
    macs = {name: EXPECTED.macs(name) for name in ARCHITECTURES}
    return arrange(macs, STUDY.campaign.pack, ACCEPTED)


PACKS = packs()
