"""training: one job an architecture.

in: <results>/data/*. out: <results>/training/<hash>/*.

With campaign.pack above 1, several architectures train side by side in one job, one GPU each, and the rule of an
architecture only collects what the pack left below <results>/training/_state.

A training costs hours where everything else costs minutes. Its rule therefore depends on the cell itself and not on the
table it comes from, and on a version that is raised by hand when numbers change and not on a fingerprint of the code.
Where it runs again although nothing that decides its numbers changed (the data were prepared again from another path,
say), it finds its result below <results>/training/_state, named by all that decides the numbers, and only writes it
again.
"""

# plain texts: `ancient` flags the very object it is given, and other rules use these outputs too
PREPARED = {
    f"{split}_{part}": str(getattr(rules.data_prepare.output, f"{split}_{part}"))
    for split in SPLITS
    for part in ("images", "labels")
}
PREPARED |= {name: str(getattr(rules.data_prepare.output, name)) for name in ("statistics", "class_counts")}
TRAINING = {"network": settings("network"), "recipe": training_recipe(), "normalisation": STUDY.data.normalisation}


rule training_pack:
    input:
        **{name: ancient(path) for name, path in PREPARED.items()},
        manifest=rules.data_prepare.output.manifest,
    output:
        receipt=f"{RESULTS}/training/_packs/{{pack}}.json",
    log:
        f"{RESULTS}/logs/training/pack_{{pack}}.log",
    benchmark:
        f"{RESULTS}/runtimes/training/pack_{{pack}}.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: training_threads() if gpus("training") else STUDY.campaign.pack * STUDY.training.threads
    resources:
        mem_mb=pack_resource("mem_mb"),
        runtime=pack_resource("runtime"),
        gpu=gpus("training") * STUDY.campaign.pack,
        cpus_per_task=STUDY.campaign.pack * STUDY.training.threads,
        nodes=1,
    params:
        members=pack_members,
        settings=TRAINING,
        seed=STUDY.seed,
        numerics=f"training {TRAINING_NUMERICS}",
        state=subpath(output.receipt, ancestor=2),
    message:
        "Training the architectures of pack {wildcards.pack} side by side"
    script:
        "../workflow_scripts/training/pack.py"


rule training_train:
    input:
        **{name: ancient(path) for name, path in PREPARED.items()},
        manifest=rules.data_prepare.output.manifest,
        pack=ancient(pack_of),
    output:
        metrics=f"{RESULTS}/training/{{hash}}/metrics.parquet",
        classes=f"{RESULTS}/training/{{hash}}/classes.parquet",
        confusion=f"{RESULTS}/training/{{hash}}/confusion.parquet",
        weights=f"{RESULTS}/training/{{hash}}/weights.pt",
        best_weights=f"{RESULTS}/training/{{hash}}/best_weights.pt",
        status=f"{RESULTS}/training/{{hash}}/status.json",
    log:
        f"{RESULTS}/logs/training/{{hash}}.log",
    benchmark:
        f"{RESULTS}/runtimes/training/{{hash}}.tsv"
    localrule: bool(PACKS)
    conda:
        "../envs/terranas.yaml"
    threads: training_threads()
    resources:
        mem_mb=training_resource("mem_mb"),
        runtime=training_resource("runtime"),
        gpu=gpus("training"),
        # threads are cut to the cores of the machine that submits, which trains nothing
        cpus_per_task=STUDY.training.processes * STUDY.training.threads,
        nodes=1,
    params:
        cell=cell_of,
        settings=TRAINING,
        seed=STUDY.seed,
        accepted=accepted_reason,
        numerics=f"training {TRAINING_NUMERICS}",
        state=subpath(output.status, ancestor=2),
    message:
        "Training {wildcards.hash}"
    script:
        "../workflow_scripts/training/train.py"


rule training:
    input:
        expand(rules.training_train.output, hash=ARCHITECTURES),
    message:
        "All architectures are trained"
