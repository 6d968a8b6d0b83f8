"""profiling: sessions that measure a batch of architectures on one device.

in: the architectures. out: <results>/profiling/*.

A session has no input file: its architectures stand among its params. An `ancient` list would not do, since Snakemake
compares no params of a job whose ancient inputs are about to be made anew.
"""


localrules:
    profiling_collect,


rule profiling_session:
    output:
        records=f"{RESULTS}/profiling/{{device}}/session_{{session}}.parquet",
    log:
        f"{RESULTS}/logs/profiling/{{device}}_session_{{session}}.log",
    benchmark:
        f"{RESULTS}/runtimes/profiling/{{device}}_session_{{session}}.tsv"
    conda:
        "../envs/terranas.yaml"
    # nothing else may run on the machine while a clock is running
    threads: alone(STUDY.profiling.threads)
    resources:
        mem_mb=escalating(2000),
        runtime=escalating(60),
        gpu=gpus("profiling"),
        nodes=1,
    params:
        members=session_members,
        network=settings("network"),
        image=image_shape(),
        protocol=settings("profiling", "protocol", "threads", "batch_size", "warmup_runs", "timed_runs"),
        seed=STUDY.seed,
        numerics=f"profiling {PROFILING_NUMERICS}",
        state=subpath(output.records, ancestor=2),
    message:
        "Measuring session {wildcards.session} on {wildcards.device}"
    script:
        "../workflow_scripts/profiling/session.py"


rule profiling_collect:
    input:
        sessions=expand(
            rules.profiling_session.output.records,
            session=range(len(SESSIONS)),
            device="{device}",
        ),
    output:
        profiles=f"{RESULTS}/profiling/{{device}}.parquet",
    log:
        f"{RESULTS}/logs/profiling/{{device}}_collect.log",
    benchmark:
        f"{RESULTS}/runtimes/profiling/{{device}}_collect.tsv"
    conda:
        "../envs/terranas.yaml"
    threads: 1
    resources:
        mem_mb=escalating(1000),
        runtime=escalating(10),
    params:
        code=code("profiling/collect.py"),
    message:
        "Collecting the profiles of {wildcards.device}"
    script:
        "../workflow_scripts/profiling/collect.py"


rule profiling:
    input:
        expand(rules.profiling_collect.output, device=STUDY.profiling.device),
    message:
        "All architectures are profiled"
