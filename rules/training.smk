"""training: one job an architecture.

in: <results>/data/*. out: <results>/training/<hash>/*.

A training costs hours where everything else costs minutes. Its rule therefore depends on the cell itself and not on the
table it comes from, and on a version that is raised by hand when numbers change and not on a fingerprint of the code.
Where it runs again although nothing that decides its numbers changed (the data were prepared again from another path,
say), it finds its last state below <results>/training/_state, named by all that decides the numbers, and only tests
again.
"""


rule training_train:
    input:
        **{
            f"{split}_{part}": ancient(getattr(rules.data_prepare.output, f"{split}_{part}"))
            for split in SPLITS
            for part in ("images", "labels")
        },
        statistics=ancient(rules.data_prepare.output.statistics),
        manifest=rules.data_prepare.output.manifest,
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
    conda:
        "../envs/terranas.yaml"
    threads: training_threads()
    resources:
        mem_mb=escalating(STUDY.training.processes * (8000 if gpus("training") else 2000)),
        runtime=escalating(60),
        gpu=gpus("training"),
        nodes=1,
    params:
        cell=cell_of,
        network=settings("network"),
        recipe=training_recipe(),
        normalisation=STUDY.data.normalisation,
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
