"""What changed reruns, and nothing else: every setting and the code, on the real workflow."""

import json
from pathlib import Path

import numpy as np
import pytest

from terranas.config.load import known_keys

pytestmark = pytest.mark.workflow

# direct dependents of each rule, written down independently of rules/*.smk
DEPENDENTS = {
    "space_cells": "space_neighbours sampling_walks benchmark_study benchmark_own landscape_graph landscape_features "
    "surrogates_size_analysis surrogates_predict surrogates_benchmark search_run comparison_indicators "
    "comparison_front_figures comparison_walk_figure report_page",
    "space_neighbours": "sampling_walks landscape_graph search_run report_page",
    "space_whole": "benchmark_nasbench101 benchmark_eo_hwnas benchmark_ec_nas",
    "sampling_walks": "landscape_ruggedness landscape_walk_figures landscape_conclusions report_page",
    "sampling_architectures": "",  # read while parsing
    "data_synthetic": "data_prepare",
    "data_prepare": "training_train landscape_imbalance landscape_imbalance_figures report_page",
    "training_pack": "training_train",
    "training_train": "benchmark_study landscape_imbalance report_page",
    "profiling_session": "profiling_collect report_page",
    "profiling_collect": "benchmark_study report_page",
    "profiling_report": "",  # made on demand
    "benchmark_study": "landscape_summary landscape_ruggedness landscape_graph landscape_footprint landscape_features "
    "landscape_correlations landscape_conclusions landscape_imbalance landscape_accuracy_figures "
    "landscape_walk_figures surrogates_size_analysis surrogates_predict surrogates_benchmark search_run "
    "comparison_indicators comparison_tests comparison_indicator_figures comparison_front_figures "
    "comparison_walk_figure comparison_page report_page",
    "benchmark_nasbench101": "report_page",
    "benchmark_eo_hwnas": "report_page",
    "benchmark_ec_nas": "report_page",
    "benchmark_nasbench201": "benchmark_hw_nas_bench report_page",
    "benchmark_hw_nas_bench": "report_page",
    "benchmark_transnas_bench101": "report_page",
    "benchmark_nasbench_macro": "report_page",
    "benchmark_own": "report_page",
    "landscape_summary": "landscape_page report_page",
    "landscape_ruggedness": "landscape_footprint landscape_walk_figures landscape_page report_page",
    "landscape_graph": "landscape_footprint landscape_graph_figures landscape_comparison_figures landscape_page "
    "report_page",
    "landscape_footprint": "landscape_comparison_figures landscape_page report_page",
    "landscape_features": "landscape_feature_figures",
    "landscape_correlations": "landscape_comparison_figures landscape_page report_page",
    "landscape_conclusions": "landscape_comparison_figures landscape_page report_page",
    "landscape_imbalance": "landscape_imbalance_figures",
    "landscape_accuracy_figures": "landscape_page report_page",
    "landscape_walk_figures": "landscape_page report_page",
    "landscape_graph_figures": "landscape_page report_page",
    "landscape_feature_figures": "landscape_page report_page",
    "landscape_imbalance_figures": "landscape_page report_page",
    "landscape_comparison_figures": "landscape_page report_page",
    "landscape_page": "",
    "surrogates_size_analysis": "surrogates_size_figure comparison_page report_page",
    "surrogates_size_figure": "report_page",
    "surrogates_predict": "search_run report_page",
    "surrogates_benchmark": "search_run comparison_indicators comparison_front_figures comparison_page report_page",
    "search_run": "comparison_indicators comparison_front_figures comparison_walk_figure comparison_page report_page",
    "comparison_indicators": "comparison_tests comparison_iohprofiler comparison_indicator_figures "
    "comparison_anytime_figure comparison_page report_page",
    "comparison_tests": "comparison_indicator_figures comparison_page report_page",
    "comparison_iohprofiler": "",
    "comparison_indicator_figures": "comparison_page report_page",
    "comparison_front_figures": "comparison_page report_page",
    "comparison_anytime_figure": "comparison_page report_page",
    "comparison_walk_figure": "comparison_page report_page",
    "comparison_page": "",
    "report_provenance": "report_page",
    "report_page": "",
}


def with_dependents(*rules: str) -> set[str]:
    """Return rules and all that depends on them."""
    reached: set[str] = set()
    pending = list(rules)
    while pending:
        rule = pending.pop()
        if rule not in reached:
            reached.add(rule)
            pending.extend(DEPENDENTS[rule].split())
    return reached


NETWORK = ("space_cells", "training_train", "profiling_session")
SAMPLING = ("sampling_walks",)  # the list is read while parsing, so no other rule needs it
SURROGATES = ("surrogates_size_analysis", "surrogates_predict", "surrogates_benchmark")
OBJECTIVES = (*SURROGATES, "search_run", "comparison_indicators", "comparison_tests", "comparison_iohprofiler")
OBJECTIVES += ("comparison_indicator_figures", "comparison_front_figures", "comparison_walk_figure", "comparison_page")
OBJECTIVES += ("report_page",)
PAIRS = ("comparison_tests", "comparison_indicator_figures", "comparison_front_figures", "comparison_anytime_figure")
PAIRS += ("comparison_walk_figure", "comparison_page", "report_page")
BUDGETS = ("search_run", "comparison_tests", "comparison_indicator_figures", "comparison_front_figures")

# the landscape's intervals and walks are drawn
DRAWN = tuple(
    f"landscape_{part}"
    for part in ("ruggedness", "graph", "footprint", "features", "correlations", "conclusions", "imbalance")
)

# settings with one valid value, or whose change needs others beside it (tested below)
ELSEWHERE = {"profiling.backend", "data.path", "data.reader", "landscape.benchmarks", "search.benchmark", "search.arms"}
# rules that make a file for the first time, while what depends on their other files stays
FIRST_TIME = {
    f"{section}": {"space_neighbours"}
    for section in ("sampling.neighbourhood", "search.neighbourhood", "landscape.neighbourhoods")
}

# setting -> (another value, rules that use it); their dependents follow from DEPENDENTS
KEYS = {
    "seed": (
        1,
        (
            *SAMPLING,
            "data_synthetic",
            "training_train",
            "profiling_session",
            *DRAWN,
            *SURROGATES,
            "search_run",
            "comparison_tests",
        ),
    ),
    "results_dir": (
        "results/other",
        ("space_cells", "sampling_architectures", "data_synthetic", "profiling_session"),
    ),  # all of it, in another folder
    "space.max_vertices": (4, ("space_cells", "training_train", "profiling_session")),
    "space.max_edges": (8, ("space_cells",)),
    "network.stem_channels": (6, NETWORK),
    "network.stacks": (1, NETWORK),
    "network.cells_per_stack": (2, NETWORK),
    "data.name": (
        "other synthetic images",
        ("benchmark_study", "landscape_imbalance", "landscape_imbalance_figures"),
    ),
    "data.source": ("npz", (*NETWORK, "data_prepare")),
    "data.sensors": ("both", (*NETWORK, "data_prepare")),
    "data.split": ("random", ("data_prepare",)),
    "data.not_finite": ("zero", ("data_prepare",)),
    "data.storage": ("float32", ("data_prepare",)),
    "data.normalisation": ("each_split", ("training_train",)),
    "data.synthetic.train": (85, ("data_synthetic",)),
    "data.synthetic.validation": (51, ("data_synthetic",)),
    "data.synthetic.test": (51, ("data_synthetic",)),
    "data.images.bands": (4, ()),  # the source is synthetic
    "data.images.classes": (5, ()),
    "data.images.image_size": (16, ()),
    "data.images.train": (0.5, ()),
    "data.images.validation": (0.1, ()),
    "data.images.test": (0.1, ()),
    "sampling.walks": (2, SAMPLING),
    "sampling.steps": (2, SAMPLING),
    "sampling.neighbourhood": ("hamming", SAMPLING),
    "sampling.unique": ("walk", SAMPLING),
    "sampling.architectures": ("walks", ("profiling_session", "benchmark_study")),
    "training.device": ("auto", ("training_train",)),
    "training.processes": (2, ("training_train",)),
    "training.threads": (2, ("training_train",)),
    "training.epochs": (2, ("training_train",)),
    "training.batch_size": (34, ("training_train",)),
    "training.optimizer": ("sgd", ("training_train",)),
    "training.learning_rate": (0.01, ("training_train",)),
    "training.momentum": (0.5, ("training_train",)),
    "training.weight_decay": (0.01, ("training_train",)),
    "training.schedule": ("constant", ("training_train",)),
    "training.precision": ("bf16", ("training_train",)),
    "training.recipe": ("modern", ("training_train",)),
    "training.loss": ("focal", ("training_train",)),
    "training.label_smoothing": (0.1, ("training_train",)),
    "training.class_weights": ("balanced", ("training_train",)),
    "training.augmentation": ("flips", ("training_train",)),
    "training.memory_format": ("contiguous", ("training_train",)),
    "training.compile": (True, ("training_train",)),
    "training.deterministic": (False, ("training_train",)),
    "training.best_metric": ("validation_loss", ("training_train",)),
    "campaign.checkpoint_every": (1, ()),
    "campaign.checkpoints_kept": (3, ()),
    "campaign.staging": ("auto", ()),
    "campaign.staging_cleanup": (True, ()),
    "campaign.resident": ("never", ()),
    "campaign.launcher": ("torchrun", ()),
    "campaign.pack": (2, ("training_pack",)),
    "campaign.deadline_margin": (60, ()),
    "campaign.lease_seconds": (60, ()),
    "profiling.protocol": ("full", ("profiling_session",)),
    "profiling.device": ("cuda", ("profiling_session",)),
    "profiling.device_name": ("a model", ("benchmark_study",)),
    "profiling.threads": (2, ("profiling_session",)),
    "profiling.batch_sizes": ([4], ("profiling_session",)),
    "profiling.precisions": (["bf16"], ("profiling_session",)),
    "profiling.variants": (["folded"], ("profiling_session",)),
    "profiling.memory_format": ("contiguous", ("profiling_session",)),
    "profiling.weights": ("trained", ("profiling_session",)),
    "profiling.warmup_runs": (2, ("profiling_session",)),
    "profiling.warmup_seconds": (0.1, ("profiling_session",)),
    "profiling.timed_runs": (4, ("profiling_session",)),
    "profiling.max_runs": (5, ("profiling_session",)),
    "profiling.interval_width": (0.1, ("profiling_session",)),
    "profiling.variation_goal": (0.1, ("profiling_collect",)),
    "profiling.sessions": (2, ("profiling_session",)),
    "profiling.session_size": (4, ("profiling_session",)),
    "profiling.reference_every": (2, ("profiling_session",)),
    "profiling.repeats": (2, ("profiling_session",)),
    "profiling.energy_seconds": (0.5, ("profiling_session",)),
    "profiling.tolerances.drift": (0.2, ("profiling_session",)),
    "profiling.tolerances.spread": (0.3, ("profiling_session",)),
    "profiling.tolerances.clock_change": (0.1, ("profiling_session",)),
    "profiling.tolerances.foreign_load": (0.3, ("profiling_session",)),
    "benchmark.nasbench101": ("records.tfrecord", ("space_whole", "benchmark_nasbench101")),
    "benchmark.eo_hwnas": ("eo", ("space_whole", "benchmark_eo_hwnas")),
    "benchmark.ec_nas": ("ec", ("space_whole", "benchmark_ec_nas")),
    "benchmark.nasbench201": ("201.parquet", ("benchmark_nasbench201",)),
    "benchmark.hw_nas_bench": ("hw.csv", ("benchmark_nasbench201", "benchmark_hw_nas_bench")),
    "benchmark.transnas_bench101": ("transnas", ("benchmark_transnas_bench101",)),
    "benchmark.nasbench_macro": ("macro.json", ("benchmark_nasbench_macro",)),
    "benchmark.own": ("mine.csv", ("benchmark_own",)),
    "benchmark.disagreement": ("report", ()),  # no table is imported
    "download.folder": ("elsewhere", ()),
    "download.files": (["nasbench_full"], ()),
    "landscape.metrics": (
        ["test_micro_accuracy"],
        (
            "landscape_summary",
            "landscape_ruggedness",
            "landscape_walk_figures",
            "landscape_features",
            "landscape_correlations",
            "landscape_conclusions",
        ),
    ),
    "landscape.fitness": ("test_micro_accuracy", ("landscape_graph", "landscape_footprint")),
    "landscape.costs": (["parameters"], ("landscape_summary", "landscape_graph", "landscape_correlations")),
    "landscape.neighbourhoods": (["hamming"], ("landscape_graph",)),
    "landscape.walks": (30, ("landscape_graph",)),
    "landscape.steps": (12, ("landscape_graph",)),
    "landscape.tolerance": (0.1, ("landscape_graph",)),
    "landscape.resamples": (199, DRAWN),
    "landscape.latency_axis": ("parameters", ("landscape_accuracy_figures",)),
    "surrogates.sizes": ([3, 5], ("surrogates_size_analysis",)),
    "surrogates.repeats": (3, ("surrogates_size_analysis",)),
    "surrogates.training_sample": (
        4,
        ("surrogates_predict", "search_run", "comparison_indicators", "comparison_page", "report_page"),
    ),
    "surrogates.regressor": ("random_forest", SURROGATES),
    "surrogates.parameters": ({"n_estimators": 6}, SURROGATES),
    "surrogates.encoding": ("paths", SURROGATES),
    "surrogates.log_targets": ([], SURROGATES),
    "surrogates.compared": (["nearest_neighbours"], ("surrogates_size_analysis",)),
    "surrogates.plateau": (0.1, ("surrogates_size_analysis", "surrogates_size_figure")),
    "surrogates.ensemble": (3, ("surrogates_benchmark",)),
    "surrogates.ensemble_sample": (50, ("surrogates_benchmark",)),
    "search.dataset": ("synthetic So2Sat-layout images", OBJECTIVES[:4]),
    "search.objectives": (["validation_micro_accuracy", "parameters"], OBJECTIVES),
    "search.unknown": ("skip", ("search_run", "comparison_indicators", "comparison_front_figures")),
    "search.neighbourhood": ("hamming", ("search_run",)),
    "search.starts": (1, ("search_run",)),
    "search.seeds": (4, ("surrogates_predict", "search_run")),
    "search.local_search.selection": ("newest", ("search_run",)),
    "search.local_search.order": ("given", ("search_run",)),
    "search.local_search.acceptance": ("first_dominating", ("search_run",)),
    "search.budgets.surrogate": ([2, 4], BUDGETS),
    "search.budgets.random": ([4, 6], BUDGETS),
    "comparison.pairs": ([["random", "surrogate"]], PAIRS),
    "comparison.alpha": (0.1, ("comparison_tests",)),
    "comparison.resamples": (200, ("comparison_tests",)),
    "report.title": ("Another title", ("landscape_page", "comparison_page")),
}


# published files by setting: what a folder must hold, or nothing for a file
PUBLISHED = {
    "benchmark.nasbench101": (),
    "benchmark.eo_hwnas": (
        "path_logs.json",
        "test_results_sampled_all_paths.json",
        *(f"database_pickle_{name}.pickle" for name in ("macro", "micro", "latency", "MACs")),
    ),
    "benchmark.ec_nas": ("energy_4V9E.csv", "energy_5V9E.csv"),
    "benchmark.nasbench201": (),
    "benchmark.hw_nas_bench": (),
    "benchmark.transnas_bench101": ("transbench101_macro_val_accuracy.csv", "transbench101_micro_val_accuracy.csv"),
    "benchmark.nasbench_macro": (),
    "benchmark.own": (),
}


def made(place: Path, key: str, name: str) -> str:
    """Make an empty published file, or a folder of them, and return its path."""
    path = place / name
    if PUBLISHED[key]:
        path.mkdir()
    for file in [path / content for content in PUBLISHED[key]] or [path]:
        file.touch()
    return str(path)


def nested(key: str, value: object) -> dict:
    """Return a settings tree with one value."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def beside_published(place: Path, *benchmarks: str) -> dict:
    """Return settings that analyse the EO benchmark, over the whole space."""
    return {
        "space": {"max_vertices": 7},
        "network": {"stem_channels": 8},
        "sampling": {"architectures": "walks"},
        "benchmark": {"eo_hwnas": made(place, "benchmark.eo_hwnas", "eo")},
        "landscape": {"benchmarks": list(benchmarks)},
    }


def test_every_setting_is_declared_here():
    assert set(known_keys()) == set(KEYS) | ELSEWHERE


def test_a_finished_study_has_nothing_to_do(finished):
    run = finished.snakemake("-n")
    assert run.code == 0, run.output
    assert run.rules == set()
    assert "Nothing to be done" in run.output


@pytest.mark.parametrize("key", KEYS)
def test_a_changed_setting_reruns_what_uses_it_and_what_follows(key, finished, tmp_path):
    value, used = KEYS[key]
    place = finished.copy(tmp_path) if key == "results_dir" else finished  # else a dry run writes nothing here
    settings = nested(key, value)
    if key == "sampling.steps":
        settings["sampling"]["walks"] = 2  # three longer walks do not fit into 7 cells
    if key == "data.source":
        images = tmp_path / "images.npz"
        shape = (60, 32, 32, 3)
        np.savez(
            images, x=np.zeros(shape, np.uint8), y=np.arange(60) % 10, names=np.array([f"c{i}" for i in range(10)])
        )
        settings = {"data": {"source": value, "path": str(images), "name": "own images"}}
    if key in PUBLISHED:
        settings = nested(key, made(tmp_path, key, value))
    if key == "benchmark.hw_nas_bench":
        settings["benchmark"]["nasbench201"] = made(tmp_path, "benchmark.nasbench201", "201.parquet")
    run = place.snakemake("-n", settings=settings)
    assert run.code == 0, run.output
    imports = {key.replace(".", "_") for key in PUBLISHED} - set(used)
    expected = with_dependents(*used, "report_provenance") - imports | FIRST_TIME.get(key, set())
    if key == "data.source":
        expected -= {"data_synthetic"}
    if key == "search.budgets.random":
        expected -= {"comparison_walk_figure"}  # it shows the first arm, which has the other budgets
    assert run.rules == expected


def test_a_dry_run_with_other_architectures_leaves_the_finished_study_alone(finished):
    before = {path: path.stat().st_mtime_ns for path in finished.results.rglob("*") if path.is_file()}
    run = finished.snakemake("-n", settings={"seed": 7, "sampling": {"walks": 2}})
    assert "making the list of architectures" in run.output
    assert "training_train" in run.rules
    assert {path: path.stat().st_mtime_ns for path in finished.results.rglob("*") if path.is_file()} == before


def test_data_prepared_again_with_equal_content_trains_nothing_anew(finished, tmp_path):
    place = finished.copy(tmp_path)
    before = {path: path.read_bytes() for path in (place.results / "training").glob("*/metrics.parquet")}
    (place.results / "data" / "raw" / "training.h5").touch()
    run = place.snakemake("training")
    assert run.code == 0, run.output
    assert run.jobs["training_train"] == 7
    assert {path: path.read_bytes() for path in before} == before, "rows, times included, are those of the first run"
    statuses = [json.loads(path.read_text()) for path in (place.results / "training").glob("*/status.json")]
    assert [status["resumed"] for status in statuses] == [True] * 7


def test_swapping_two_numbers_is_noticed(finished):
    """Snakemake compares params without their names."""
    run = finished.snakemake("-n", settings={"search": {"starts": 3, "seeds": 2}})
    assert run.jobs["search_run"] == 3


def test_the_searched_benchmark_reruns_only_the_search_side(finished, tmp_path):
    (tmp_path / "records.tfrecord").touch()
    place = finished.copy(tmp_path)
    settings = {
        "space": {"max_vertices": 7},
        "network": {"stem_channels": 8},
        "sampling": {"architectures": "walks"},
        "benchmark": {"nasbench101": str(tmp_path / "records.tfrecord")},
        "search": {"benchmark": "nasbench101", "objectives": ["validation_micro_accuracy", "training_seconds"]},
    }
    run = place.snakemake("-n", settings=settings)
    assert run.code == 0, run.output
    assert {"benchmark_nasbench101", "surrogates_predict", "search_run", "comparison_tests"} <= run.rules
    assert "data_prepare" not in run.rules


def test_another_table_is_analysed_beside_the_study(finished, tmp_path):
    place = finished.copy(tmp_path)
    run = place.snakemake("-n", settings=beside_published(tmp_path, "study", "eo_hwnas"))
    assert run.code == 0, run.output
    assert {"benchmark_eo_hwnas", "landscape_page", "landscape_correlations", "landscape_conclusions"} <= run.rules
    assert run.jobs["landscape_graph"] == run.jobs["landscape_footprint"] == run.jobs["landscape_walk_figures"] == 2
    assert run.jobs["landscape_imbalance"] == 1


def test_published_tables_alone_are_analysed_without_training(finished, tmp_path):
    place = finished.copy(tmp_path)
    run = place.snakemake("-n", "landscape", settings=beside_published(tmp_path, "eo_hwnas"))
    assert run.code == 0, run.output
    assert {"benchmark_eo_hwnas", "landscape_page", "landscape_conclusions"} <= run.rules
    assert not run.rules & {"landscape_imbalance", "benchmark_study", "training_train", "profiling_session"}


def test_a_table_of_ones_own_is_analysed_and_searched_without_training(finished, tmp_path):
    place = finished.copy(tmp_path)
    own = {"benchmark": {"own": made(tmp_path, "benchmark.own", "mine.csv")}}
    own |= {"landscape": {"benchmarks": ["own"]}, "search": {"benchmark": "own"}}
    run = place.snakemake("-n", "landscape", "comparison", settings=own)
    assert run.code == 0, run.output
    assert {"benchmark_own", "landscape_page", "surrogates_benchmark", "search_run", "comparison_page"} <= run.rules
    assert not run.rules & {"landscape_imbalance", "benchmark_study", "training_train", "profiling_session"}


def test_numbers_on_the_command_line_are_numbers(finished):
    run = finished.snakemake("-n", "--config", "comparison={alpha: 0.1}", "landscape={metrics: [test_micro_accuracy]}")
    assert run.code == 0, run.output
    assert {"comparison_tests", "landscape_ruggedness"} <= run.rules


def test_more_sessions_leave_those_that_are_measured_alone(finished):
    run = finished.snakemake("-n", settings={"profiling": {"sessions": 3}})
    assert run.jobs["profiling_session"] == 4  # two a repetition


def test_one_budget_list_reruns_the_arms_that_use_it(finished):
    run = finished.snakemake("-n", settings={"search": {"budgets": {"surrogate": [1, 3]}}})
    assert run.jobs["search_run"] == 1
    assert "Searching, surrogate," in run.output
    assert "Searching, random," not in run.output


def test_one_more_arm_is_searched_alone(finished):
    run = finished.snakemake("-n", settings={"search": {"arms": ["surrogate", "random", "nsga2", "latin"]}})
    assert run.jobs["search_run"] == 1
    assert "Searching, latin," in run.output


def test_editing_the_comparison_reruns_comparison_and_report_only(finished, tmp_path, checkout):
    code = checkout()
    place = finished.copy(tmp_path, code)
    assert place.snakemake("-n").rules == set()
    module = code / "terranas" / "comparison" / "indicators.py"
    module.write_text(module.read_text() + "\n\nADDED = 1\n")
    touched = place.snakemake("-n").rules
    assert touched
    assert {rule.split("_")[0] for rule in touched} == {"comparison", "report"}


def test_editing_words_reruns_nothing(finished, tmp_path, checkout):
    code = checkout()
    place = finished.copy(tmp_path, code)
    before = place.snakemake("-n").rules
    for module in sorted(code.glob("terranas/*/*.py")):
        text = module.read_text()
        assert text.startswith('"""')
        module.write_text(text.replace('"""', '"""Other words. ', 1) + "# a comment\n")
    assert place.snakemake("-n").rules == before == set()


def test_editing_the_training_code_reruns_no_training(finished, tmp_path, checkout):
    code = checkout()
    place = finished.copy(tmp_path, code)
    for stage in ("training", "data", "space"):
        module = next(path for path in sorted((code / "terranas" / stage).glob("*.py")) if path.stem != "__init__")
        module.write_text(module.read_text() + "\n\nADDED = 1\n")
    assert "training_train" not in place.snakemake("-n").rules


def test_raising_a_numerics_version_redoes_the_stage(finished, tmp_path, checkout):
    code = checkout()
    place = finished.copy(tmp_path, code)
    module = code / "terranas" / "training" / "__init__.py"
    module.write_text(module.read_text().replace("NUMERICS_VERSION = ", "NUMERICS_VERSION = 9"))
    run = place.snakemake("-n")
    assert run.jobs["training_train"] == 7


def test_two_studies_side_by_side_leave_each_other_alone(finished, tmp_path):
    place = finished.copy(tmp_path)
    other = {"results_dir": "results/b", "comparison": {"alpha": 0.1}}
    run = place.snakemake("data", "sampling", settings=other)
    assert run.code == 0, run.output
    assert place.snakemake("-n").rules == set()
    assert place.snakemake("-n", "data", "sampling", settings=other).rules == set()
