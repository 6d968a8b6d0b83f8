"""Commands of the pages that cannot run here as they stand: what runs in their place, and why.

Every other command runs as the page shows it, in a checkout whose default study is the smallest one.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class StandIn:
    """What stands in for a command.

    Attributes:
        run: shell commands that run instead.
        why: why the command itself does not.
    """

    run: str
    why: str


INSTALLS = "make installs an environment first, and CI runs the suites; make -n shows that the target is there"
PROGRAM = "takes minutes, or a GPU; --help shows that program and options exist"
CLUSTER = "needs a cluster; a dry run reads the profile, the study and all rules"
NO_SLURM = "asks a Slurm that is not here"
LARGE = "needs files of many gigabytes; small ones of the same names are there, and the run is a dry one"
PUBLISHED = "needs published tables, and up to a quarter of an hour; the settings are checked"
AS_ROOT = "changes the machine, as root"
TRAINS = "trains for minutes; the same command on the smallest study, or a dry run"
NAMED = "words in capitals or dots stand for what the user names"

_PAPER = "--configfile config/paper.yaml"
_ELSEWHERE = "--config 'data={path: FOLDER_OF_SO2SAT}' 'benchmark={nasbench101: PATH/TO/nasbench_only108.tfrecord}'"
_NASBENCH201 = (
    "--configfile config/nasbench201.yaml --config "
    "'benchmark={nasbench201: PATH/TO/nasbench201.parquet, hw_nas_bench: PATH/TO/hw_nas_bench.csv}'"
)
_TRIAL = "--config results_dir=results/trial 'training={device: cuda}' 'profiling={device: cuda}'"
_ON_SLURM = "snakemake --profile slurm --configfile config/paper.yaml"
_HASH = "$(sed -n 3p results/demo/sampling/architectures.csv | cut -d, -f1)"
# a training without a result, whose failure can be accepted
_ACCEPT = (
    f'hash={_HASH}; rm -f results/demo/training/$hash/status.json; terranas accept $hash --reason "killed each time"'
)
_CLOCKS = ("--persistence-mode=1", "--lock-gpu-clocks=1095,1095", "--reset-gpu-clocks")
_SMALLEST = "--configfile config/config.yaml"
_EUROSAT = "terranas search live --configfile config/eurosat.yaml"

STAND_INS = {
    "source .venv/bin/activate": StandIn("true", "the tests run in their own environment"),
    "envs/bounds.sh lowest": StandIn("bash -n envs/bounds.sh", "installs other versions from a package index"),
    "pipx install pre-commit": StandIn("test -s .pre-commit-config.yaml", "installs from a package index"),
    "terranas config write": StandIn("terranas config write build/config", "would replace the smallest study"),
    ".venv/bin/pytest tests/cluster/test_faults.py -m cluster": StandIn(
        "pytest tests/cluster/test_faults.py -m cluster --collect-only -q", "starts a Slurm; make test-cluster runs it"
    ),
    "snakemake download": StandIn("snakemake -n download", LARGE),
    "snakemake download --config 'download={files: [nasbench_full]}'": StandIn(
        "snakemake -n download --config 'download={files: [nasbench_full]}'", LARGE
    ),
    "snakemake data/nasbench_only108.tfrecord.json": StandIn("snakemake -n data/nasbench_only108.tfrecord.json", LARGE),
    "snakemake tables": StandIn(
        "snakemake -n tables --config 'benchmark={nasbench101: PATH/TO/nasbench_only108.tfrecord}'", LARGE
    ),
    "snakemake --configfile config/eurosat.yaml": StandIn("snakemake -n --configfile config/eurosat.yaml", LARGE),
    "snakemake --configfile config/eurosat.yaml --config 'data={path: PATH/TO/EuroSAT_RGB}'": StandIn(
        "snakemake -n --configfile config/eurosat.yaml --config 'data={path: PATH/TO/EuroSAT_RGB}'", LARGE
    ),
    "snakemake --forcerun data_prepare": StandIn("snakemake -n --forcerun data_prepare", TRAINS),
    "snakemake --configfile my_folder.yaml": StandIn("snakemake -n --configfile my_folder.yaml", TRAINS),
    f"snakemake -n comparison {_NASBENCH201}": StandIn(
        "terranas config check config/nasbench201.yaml",
        "needs published tables; tests/workflow/test_tables.py runs it",
    ),
    "snakemake --profile slurm": StandIn("snakemake -n --profile slurm", CLUSTER),
    f"snakemake --profile slurm {_TRIAL}": StandIn(f"snakemake -n --profile slurm {_TRIAL}", CLUSTER),
    _ON_SLURM: StandIn(f"{_ON_SLURM} -n", CLUSTER),
    f"{_ON_SLURM} {_ELSEWHERE}": StandIn(f"{_ON_SLURM} -n {_ELSEWHERE}", CLUSTER),
    f"{_ON_SLURM} --config 'data={{path: ...}}' 'benchmark={{nasbench101: ...}}'": StandIn(
        f"{_ON_SLURM} -n {_ELSEWHERE}", CLUSTER
    ),
    "terranas campaign resume": StandIn("terranas campaign resume -- --executor local", NO_SLURM),
    f"terranas campaign resume {_PAPER}": StandIn("terranas campaign resume --help", CLUSTER),
    "terranas campaign cancel --configfile ...": StandIn("terranas campaign cancel --help", NO_SLURM),
    "terranas campaign report --configfile ...": StandIn(
        "terranas campaign report --configfile config/config.yaml", NAMED
    ),
    "terranas campaign status --configfile ...": StandIn(
        "terranas campaign status --configfile config/config.yaml", NAMED
    ),
    "terranas cell show HASH_OR_ID": StandIn(
        f"terranas cell show {_HASH} --cells results/demo/space/cells.parquet", NAMED
    ),
    "terranas table info FILE": StandIn("terranas table info results/demo/benchmark/study.parquet", NAMED),
    "terranas config check FILE": StandIn("terranas config check my_study.yaml", NAMED),
    "terranas accept": StandIn("terranas accept --help", NAMED),
    "terranas accept HASH --reason TEXT": StandIn(_ACCEPT, NAMED),
    "terranas accept HASH --reason ...": StandIn(_ACCEPT, NAMED),
    f'terranas accept HASH --reason "..." {_PAPER}': StandIn(_ACCEPT, NAMED),
    "terranas retract HASH": StandIn(f"{_ACCEPT}; terranas retract $hash", NAMED),
    "terranas retract HASH ...": StandIn(f"{_ACCEPT}; terranas retract $hash", NAMED),
    "terranas search live": StandIn("terranas search live --help", TRAINS),
    f"{_EUROSAT} --method random --budget 40": StandIn("terranas search live --method random --budget 40", TRAINS),
    f"{_EUROSAT} --method nsga2 --budget 200 --profile slurm -- --jobs 50": StandIn(
        "terranas search live --method nsga2 --budget 200 -- --jobs 2", CLUSTER
    ),
    "torchrun --nproc-per-node 4 -m terranas.training.worker FOLDER": StandIn(
        "torchrun --help; python -c 'import terranas.training.worker'", NAMED
    ),
    **{
        f"snakemake --configfile {name}.yaml -- comparison": StandIn(f"terranas config check {name}.yaml", PUBLISHED)
        for name in ("nasbench101_part", "cifar10_macs", "config/nasbench201")
    },
    "python -m terranas.report.published --data data --studies results --output docs": StandIn(
        "python -m terranas.report.published --help", PUBLISHED
    ),
    'squeue --me -o "%.10i %.9P %.10T %.10M %.10L %R  %k"': StandIn("true", NO_SLURM),
    'sinfo -o "%P %G %l"': StandIn("true", NO_SLURM),
    "scontrol show config": StandIn("true", NO_SLURM),
    "scontrol requeue": StandIn("true", NO_SLURM),
    "scontrol update state=down": StandIn("true", NO_SLURM),
    "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj": StandIn("true", AS_ROOT),
    "nvidia-smi --lock-gpu-clocks": StandIn("true", AS_ROOT),
    "nvidia-smi --query-supported-clocks=graphics --format=csv": StandIn("true", "needs a GPU"),
    **{f"sudo nvidia-smi {option}": StandIn("true", AS_ROOT) for option in _CLOCKS},
}


def stand_in(command: str) -> StandIn | None:
    """Return what stands in for a command; None where it runs as it is."""
    if command.startswith("make "):
        return StandIn(command.replace("make", "make -n", 1), INSTALLS)
    if command.startswith("python benchmarks/"):
        return StandIn(f"{command} --help", PROGRAM)
    return STAND_INS.get(command)


REPLACED = {
    "README.md": (
        ('"results/demo/benchmark/nasbench101.parquet"', '"results/demo/benchmark/study.parquet"'),
        ("hashes)", "benchmark.architectures)"),
    ),
    "docs/tables.md": (
        (
            '"results/demo/benchmark/hw_nas_bench.parquet", device="Jetson TX2"',
            '"results/demo/benchmark/study.parquet"',
        ),
    ),
}
"""Python that asks for a published table, which the study's own replaces: page -> words and what stands in for them."""
