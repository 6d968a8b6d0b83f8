"""data: images in their published layout become arrays ready to train from.

in: the files named by data.path, or nothing. out: <results>/data/*.
"""


rule data_synthetic:
    output:
        train=f"{RESULTS}/data/raw/training.h5",
        validation=f"{RESULTS}/data/raw/validation.h5",
        test=f"{RESULTS}/data/raw/testing.h5",
    log:
        f"{RESULTS}/logs/data/synthetic.log",
    benchmark:
        f"{RESULTS}/runtimes/data/synthetic.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(20),
    params:
        sizes=settings("data", "synthetic")["synthetic"],
        seed=STUDY.seed,
        numerics=f"data {DATA_NUMERICS}",
    message:
        "Generating synthetic images in the So2Sat layout"
    script:
        "../workflow_scripts/data/synthetic.py"


rule data_prepare:
    input:
        raw=(list(rules.data_synthetic.output) if STUDY.data.source == "synthetic" else source_files(STUDY.data)),
    output:
        **{f"{split}_images": f"{RESULTS}/data/prepared/{split}_images.npy" for split in SPLITS},
        **{f"{split}_labels": f"{RESULTS}/data/prepared/{split}_labels.npy" for split in SPLITS},
        statistics=f"{RESULTS}/data/band_statistics.parquet",
        class_counts=f"{RESULTS}/data/class_counts.parquet",
        manifest=f"{RESULTS}/data/manifest.json",
    log:
        f"{RESULTS}/logs/data/prepare.log",
    benchmark:
        f"{RESULTS}/runtimes/data/prepare.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(PREPARATION_MB),
        runtime=escalating(120),
    params:
        data=data_settings(),
        path=images_path,
        image=image_shape(),
        folder=subpath(output.manifest, parent=True),
        numerics=f"data {DATA_NUMERICS}",
    message:
        "Preparing training arrays"
    script:
        "../workflow_scripts/data/prepare.py"


rule data:
    input:
        rules.data_prepare.output,
    message:
        "The images are ready"
