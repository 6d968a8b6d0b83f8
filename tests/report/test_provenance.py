import getpass
import json
import platform
from pathlib import Path

import pytest
import yaml

import terranas
from terranas.config.load import load_config, read_config
from terranas.report.provenance import config_yaml, software_versions


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"training": {"learning_rate": 1.0e-05, "weight_decay": 0.0}},
        {"report": {"title": 'Ünïcode: "quotes", # hash, <b> & : colon - ' + "long " * 40}},
        {"data": {"source": "npz", "path": "data/{x}.npz", "name": "no"}},
    ],
)
def test_the_written_configuration_reads_back_equal(tmp_path, settings):
    study = load_config(settings)
    path = tmp_path / "config.yaml"
    path.write_text(config_yaml(study.model_dump(mode="json")), encoding="utf-8")
    assert read_config(path) == study


def test_the_configuration_keeps_its_order_and_says_how_to_use_it():
    config = load_config({}).model_dump(mode="json")
    text = config_yaml(config)
    assert list(yaml.safe_load(text)) == list(config)
    assert "snakemake --configfile <this file>" in text


def test_versions_are_those_installed():
    versions = software_versions(["numpy", "no-such-distribution"])
    import numpy

    assert versions["packages"] == {"numpy": numpy.__version__, "no-such-distribution": None}
    assert versions["terranas"] == terranas.__version__
    assert versions["python"].endswith(platform.python_version())


def test_the_record_names_no_machine_person_or_path():
    text = json.dumps({key: value for key, value in software_versions().items() if key != "git"})
    for secret in (platform.node(), getpass.getuser(), str(Path.home()), str(Path.cwd())):
        assert len(secret) < 3 or secret not in text.replace("terranas", "")
    assert "/" not in text
