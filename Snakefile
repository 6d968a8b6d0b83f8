"""terranas: a hardware-aware NAS study on Earth-observation images, from sampling to statistics.

`snakemake` runs the default study; `snakemake STAGE` runs up to one stage; `snakemake --configfile FILE` runs
another study; `snakemake --profile slurm` runs it on a cluster.
"""

from snakemake.utils import min_version

min_version("9.20")


# a study is one file over the defaults of terranas/config: config.yaml is not mixed into another study
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common/study.smk"
include: "rules/common/architectures.smk"
include: "rules/common/training.smk"
include: "rules/common/profiling.smk"
include: "rules/common/landscape.smk"
include: "rules/common/search.smk"
include: "rules/common/tables.smk"


wildcard_constraints:
    hash="[0-9a-f]{32}",
    neighbourhood="hamming|hamming_any|edit|edit_symmetric",
    benchmark="study|own|nasbench101|nasbench201|hw_nas_bench|eo_hwnas",
    device="cpu|cuda|own",
    session="[0-9]+",
    pack="[0-9]+",
    arm="|".join(ARMS),


include: "rules/space.smk"
include: "rules/data.smk"
include: "rules/sampling.smk"
include: "rules/training.smk"
include: "rules/profiling.smk"
include: "rules/benchmark.smk"
include: "rules/landscape.smk"
include: "rules/landscape_figures.smk"
include: "rules/surrogates.smk"
include: "rules/search.smk"
include: "rules/comparison.smk"
include: "rules/report.smk"
include: "rules/download.smk"
include: "rules/campaign.smk"


localrules:
    all,
    space,
    data,
    sampling,
    training,
    profiling,
    benchmark,
    tables,
    landscape,
    surrogates,
    search,
    comparison,
    report,
    download,


# `terranas campaign` and a second snakemake must know whether this one lives; jobs parse this file too
if workflow.is_main_process and "TERRANAS_MAKES_LIST" not in os.environ:

    onstart:
        announce(RESULTS, log)

    onsuccess:
        withdraw(RESULTS)

    onerror:
        withdraw(RESULTS)


rule all:
    default_target: True
    input:
        rules.report.input,
