"""The configuration tree: generated files in step, errors that help, published values."""

import json
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from terranas.benchmark import eo_hwnas, nasbench101
from terranas.benchmark.schema import METRICS
from terranas.config import StudyConfig, load_config, read_config, typed
from terranas.config.analysing import IMAGES_OF
from terranas.config.generate import default_yaml, json_schema
from terranas.config.inputs import PUBLISHED_IMAGE, PUBLISHED_NETWORK
from terranas.config.load import known_keys
from terranas.config.searching import Arm
from terranas.config.study import PUBLISHED_METRICS, STUDY_METRICS
from terranas.core.errors import ConfigError
from terranas.search.arms import ARMS
from terranas.space.complexity import CIFAR10_NETWORK, NetworkShape

ROOT = Path(__file__).resolve().parents[2]


def beside_published(**changes: dict[str, object]) -> dict[str, object]:
    """Return settings that analyse a study beside both published tables."""
    settings: dict[str, dict[str, object]] = {
        "space": {"max_vertices": 7},
        "sampling": {"walks": 30, "steps": 14, "architectures": "walks"},
        "benchmark": {"eo_hwnas": "x", "nasbench101": "x"},
        "landscape": {"benchmarks": ["study", "eo_hwnas", "nasbench101"]},
    }
    return settings | {name: settings.get(name, {}) | change for name, change in changes.items()}


def test_settings_know_the_arms_that_there_are():
    assert get_args(Arm) == ARMS


def test_a_study_is_analysed_beside_published_tables():
    load_config(beside_published())
    own_name = {"source": "npz", "path": "x", "name": "So2Sat LCZ42"}
    alone = {"benchmarks": ["eo_hwnas", "nasbench101"]}
    load_config(beside_published(data=own_name, landscape=alone))
    assert {"eo_hwnas": eo_hwnas.DATASET, "nasbench101": nasbench101.DATASET} == IMAGES_OF


def test_generated_files_are_in_step_with_the_models():
    advice = "run `terranas config write`"
    assert (ROOT / "config" / "config.yaml").read_text() == default_yaml(), advice
    assert (ROOT / "config" / "schema.json").read_text() == json_schema(), advice


def test_the_default_file_means_the_defaults():
    assert read_config(ROOT / "config" / "config.yaml") == StudyConfig()
    assert yaml.safe_load(default_yaml()) == StudyConfig().model_dump(mode="json")


def test_every_key_is_described():
    schema = json.loads(json_schema())
    undescribed = [
        f"{name}.{key}"
        for name, model in {**schema["$defs"], "StudyConfig": schema}.items()
        for key, field in model["properties"].items()
        if "description" not in field and "$ref" not in field
    ]
    assert undescribed == []


def test_metrics_are_those_of_the_benchmark_table():
    names = [column.name for column in METRICS]
    assert [name for name in names if name in STUDY_METRICS] == list(STUDY_METRICS)
    assert set(PUBLISHED_METRICS) <= set(names)


def test_the_published_network_is_that_of_the_library():
    assert NetworkShape(**PUBLISHED_IMAGE, **PUBLISHED_NETWORK) == CIFAR10_NETWORK


@pytest.mark.parametrize("name", ["eurosat", "paper"])
def test_shipped_studies_are_valid(name):
    study = read_config(ROOT / "config" / f"{name}.yaml")
    assert study.results_dir == f"results/{name}"


def test_the_paper_study_holds_the_published_values():
    study = read_config(ROOT / "config" / "paper.yaml")
    assert study.sampling.walks * (study.sampling.steps + 1) == 450
    assert study.training.epochs == 108
    assert study.training.batch_size * study.training.processes == 256
    assert (study.training.learning_rate, study.training.momentum, study.training.weight_decay) == (1e-4, 0.0, 5e-4)
    assert study.surrogates.sizes == [300, 400, 500, 600, 700, 800, 900, 1000, 2000, 3000, 5000]
    assert study.search.budgets.surrogate == [500, 1000, 1500, 2000]
    assert study.search.budgets.random == [2500, 3000, 3500, 4000]
    assert (study.search.starts, study.search.seeds) == (20, 30)


def test_a_protocol_is_a_set_of_values_that_others_override():
    full = load_config({"profiling": {"protocol": "full", "sessions": 5}}).profiling
    assert (full.sessions, full.batch_sizes, full.timed_runs, full.warmup_seconds) == (5, [64, 1], 100, 1.0)
    published = [load_config({"profiling": {"protocol": "published", "device": d}}).profiling for d in ("cpu", "cuda")]
    assert [profiling.precisions for profiling in published] == [["fp32"], ["tf32"]]
    assert {(p.batch_sizes[0], p.warmup_runs, p.timed_runs) for p in published} == {(64, 10, 378)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"profiling": {"batch_sizes": []}}, r"profiling\.batch_sizes"),
        ({"profiling": {"batch_sizes": [64, 0]}}, r"profiling\.batch_sizes\.1"),
        ({"profiling": {"batch_sizes": [1, 1]}}, r"batch_sizes names a value twice: \[1, 1\]"),
        ({"profiling": {"device": "tpu"}}, r"profiling\.device"),
        ({"profiling": {"device": "own"}}, "device own needs backend"),
        ({"profiling": {"backend": "mine.py"}}, "device own needs backend"),
        ({"profiling": {"timed_runs": 50}}, r"max_runs \(30\) must not be below timed_runs \(50\)"),
        ({"profiling": {"variants": ["plain", "folded_graph"]}}, "variants folded_graph need CUDA graphs"),
        ({"profiling": {"precisions": ["tf32"]}}, "precision tf32 is one of NVIDIA's tensor cores"),
        ({"profiling": {"protocol": "thorough"}}, r"profiling\.protocol"),
        ({"sampling": {"step": 3}}, r"unknown key 'sampling\.step'; the nearest valid key is 'sampling\.steps'"),
        ({"trainin": {}}, "unknown key 'trainin'; the nearest valid key is 'training'"),
        (
            {"search.budgets.random": [3]},
            r"unknown key 'search\.budgets\.random'; a setting stands inside its section, as in "
            r"'search=\{budgets: \{random: \.\.\.\}\}' after --config",
        ),
        ({"epochs": 3}, r"the nearest valid key is 'training\.epochs'"),
        ({"results_dir": "~/results"}, "results_dir: '~/results' begins with '~'"),
        ({"seed": "a"}, "seed: must be a valid integer, got 'a'"),
        ({"seed": True}, "seed: must be a valid integer, got True"),
        ({"training": {"learning_rate": "1e-4"}}, r"written with a dot, like 1\.0e-4"),
        ({"sampling": {"steps": 0}}, r"sampling\.steps: must be greater than or equal to 1, got 0"),
        ({"space": {"max_vertices": 8}}, r"space\.max_vertices: must be less than or equal to 7, got 8"),
        ({"data": 3}, "data: must be a valid dictionary"),
        ({"data": {"source": "npz", "name": "mine"}}, "path must name the images"),
        ({"data": {"name": "EuroSAT"}}, "must contain 'synthetic'"),
        ({"data": {"source": "npz", "path": "x"}}, "name must name the real images"),
        ({"landscape": {"metrics": ["macs", "macs"]}}, "metrics names an entry twice: macs, macs"),
        ({"landscape": {"costs": ["speed"]}}, "landscape.costs: 'speed' is no metric"),
        ({"landscape": {"fitness": "speed"}}, "landscape.fitness: 'speed' is no metric"),
        ({"landscape": {"neighbourhoods": ["edit"]}}, r"landscape\.neighbourhoods\.0"),
        ({"landscape": {"benchmarks": ["own"]}}, r"benchmark\.own must say where its files are"),
        ({"landscape": {"benchmarks": ["study", "eo_hwnas"]}}, r"benchmark\.eo_hwnas must say where its files are"),
        ({"landscape": {"metrics": ["macs"]}}, "landscape.metrics: 'macs' is no metric"),
        (
            {"landscape": {"benchmarks": ["nasbench101"]}, "benchmark": {"nasbench101": "x"}},
            "names nasbench101, which needs space.max_vertices 7 and space.max_edges 9, got 4 and 9",
        ),
        (
            beside_published(data={"source": "npz", "path": "x", "name": "So2Sat LCZ42"}),
            "study and eo_hwnas, whose images are both named 'So2Sat LCZ42'.*set data.name to another one",
        ),
        (
            beside_published(landscape={"fitness": "validation_macro_accuracy"}),
            "landscape.fitness and the first of landscape.costs: 'validation_macro_accuracy' is no metric",
        ),
        (beside_published(landscape={"costs": ["latency_ms", "macs"]}), "'latency_ms' is no metric of the benchmark"),
        (
            beside_published(landscape={"metrics": ["test_macro_accuracy"]}),
            "landscape.metrics names none that nasbench101 has: test_macro_accuracy. Add a micro accuracy",
        ),
        ({"data": {"images": {"train": 0.8, "validation": 0.2, "test": 0.2}}}, "is 1.2; the three shares"),
        ({"search": {"budgets": {"random": [25, 20, 30, 35]}}}, "must ascend strictly, but 20 follows 25"),
        ({"search": {"budgets": {"random": [25]}}}, "compared in pairs"),
        ({"surrogates": {"sizes": [50, 90]}}, r"surrogates\.sizes needs 92 architectures .* has at most 91"),
        ({"surrogates": {"training_sample": 92}}, r"surrogates\.training_sample needs 92"),
        ({"search": {"objectives": ["macs", "speed"]}}, "'speed' is no metric of the benchmark. Known: train_loss"),
        ({"search": {"objectives": ["macs", "macs"]}}, "objectives names an entry twice: macs, macs"),
        ({"search": {"objectives": ["macs"]}}, "at least 2"),
        ({"search": {"objectives": ["macs", "speed@phone"]}}, "'speed' is no metric"),
        ({"search": {"arms": ["random", "random"]}}, "arms names an entry twice"),
        (
            {"search": {"arms": ["random", "surrogate"]}},
            r"compares surrogate_published with .* does not name surrogate_p",
        ),
        ({"search": {"local_search": {"selection": "best"}}}, "oldest"),
        ({"comparison": {"pairs": [["random"]]}}, "two different arms each"),
        ({"comparison": {"pairs": [["random", "surrogate"], ["surrogate", "random"]]}}, "names two arms twice"),
        ({"surrogates": {"regressor": "forest"}}, "There is no regressor 'forest'"),
        ({"surrogates": {"compared": ["xgboost"]}}, "names a regressor twice"),
        ({"search": {"benchmark": "own"}}, r"benchmark\.own must name its file"),
        ({"network": {"stem_channels": 1}}, "up to 2 vertices share the channels"),
        ({"search": {"benchmark": "nasbench101"}}, r"benchmark\.nasbench101 must name its file"),
        ({"sampling": {"unique": "study", "walks": 30}}, "150 different architectures, the space has 91"),
        (
            {
                "network": {"stacks": 6},
                "data": {"source": "npz", "path": "x", "name": "mine", "images": {"image_size": 16}},
            },
            "halved that often",
        ),
    ],
)
def test_invalid_settings_are_explained(settings, message):
    with pytest.raises(ConfigError, match=message):
        load_config(settings)


def test_all_problems_are_listed_at_once():
    with pytest.raises(ConfigError) as caught:
        load_config({"seed": -1, "sampling": {"walks": 0}, "wrong": 1})
    assert str(caught.value).count("\n  - ") == 3


@pytest.mark.parametrize(
    ("text", "message"), [("[1, 2]", "must hold keys and values"), ("a: [", "no valid YAML"), (None, "does not exist")]
)
def test_files_that_are_no_configuration(tmp_path, text, message):
    path = tmp_path / "study.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_config(path)


def test_an_empty_file_is_the_default_study(tmp_path):
    (tmp_path / "study.yaml").write_text("")
    assert read_config(tmp_path / "study.yaml") == StudyConfig()


@given(st.sampled_from(list(known_keys())), st.characters(codec="ascii", categories=["Ll"]))
def test_any_misspelt_key_is_refused_and_a_valid_one_is_named(key, letter):
    with pytest.raises(ConfigError) as caught:
        load_config({f"{key}{letter}q": 1})
    named = str(caught.value).rsplit("'", 2)[1]
    assert any(valid == named or valid.startswith(f"{named}.") for valid in known_keys())


def test_what_the_command_line_leaves_as_texts_gets_its_types():
    given = {"search": {"seeds": "100", "starts": 3}, "landscape": {"metrics": ["a", "1.5"]}, "data": {"path": "null"}}
    assert typed(given) == {
        "search": {"seeds": 100, "starts": 3},
        "landscape": {"metrics": ["a", 1.5]},
        "data": {"path": None},
    }
    assert typed("{not: yaml") == "{not: yaml"


@pytest.mark.parametrize(("text", "hint"), [("1e-4", "written with a dot"), ("100", r"got '100' \(a text\)")])
def test_a_number_that_is_a_text_is_told(text, hint):
    with pytest.raises(ConfigError, match=hint):
        load_config({"training": {"learning_rate": text}})
