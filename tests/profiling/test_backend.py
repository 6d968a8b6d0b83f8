"""Devices that users write: the example of the documentation, and devices that break the interface."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch import nn

from terranas.config import load_config
from terranas.config.measuring import ProfilingConfig
from terranas.core.errors import ConfigError
from terranas.profiling.backend import FUNCTIONS
from terranas.profiling.description import describe_host
from terranas.profiling.devices import Device, UnsupportedError, open_device
from terranas.profiling.measurement import Workbench
from terranas.profiling.observation import Observation
from terranas.profiling.precheck import check_backend
from terranas.profiling.settings import Condition, Settings

from .scripted import SHAPE

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")
PLAIN = Condition(2, "fp32", "plain")


def blocks_of_the_page(language: str) -> list[str]:
    section = PAGE[PAGE.index("## A device of your own") :]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def profiling_of(backend: Path | str) -> ProfilingConfig:
    return ProfilingConfig(device="own", backend=str(backend))


def test_the_example_of_the_page_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device and the settings exactly as they are printed."""
    monkeypatch.chdir(tmp_path)
    (code,), (settings,) = blocks_of_the_page("python"), blocks_of_the_page("yaml")
    assert len(code.splitlines()) <= 22
    Path("my_device.py").write_text(code)
    profiling = load_config(yaml.safe_load(settings)).profiling
    check_backend(profiling)
    device = open_device(profiling.device, profiling.threads, profiling.backend)
    assert (device.kind, str(device.torch_device), device.counts_memory) == ("torchscript", "cpu", False)
    assert device.name.endswith("with TorchScript")
    described = device.describe()
    assert described["translator"] == "TorchScript"
    assert list(described) == [*describe_host(), "translator"]
    device.use_precision("fp32")
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval()
    images, seen = torch.randn(2, 3, 8, 8), list[Observation]()
    with torch.inference_mode():
        run = device.prepare(network, images, PLAIN)
        times = device.time_runs(run, 20, lambda: seen.append(device.observe()))
        device.finish()
        torch.testing.assert_close(run(), network(images))
    with Workbench(device, SHAPE, Settings.of_config(profiling.model_dump(mode="json")), 0, {}) as bench:
        assert bench.measure(None, PLAIN).outcome == "ok", "the empty network is one for a backend, too"
    assert times.shape == (20,)
    assert (times > 0).all()
    assert len(seen) == 8
    device.reset_peak_memory()
    assert np.isnan(device.peak_memory_bytes())
    assert device.energy_joules() is None
    with pytest.raises(UnsupportedError, match="no CUDA graphs"):
        device.prepare(network, images, Condition(2, "fp32", "graph"))
    with pytest.raises(UnsupportedError, match="computes in fp32, not in bf16"):
        device.use_precision("bf16")


GOOD = """
import numpy as np
from terranas.profiling.devices import HostTimedDevice
class Mine(HostTimedDevice):
    def prepare(self, network, images, condition):
        return lambda: network(images)
    def time_runs(self, run, count, observe=lambda: None):
        return np.full(count, 2.0)
    def describe(self):
        return {"a": 1}
    def observe(self):
        return super().observe()
    def energy_joules(self):
        return 3
    def use_precision(self, precision):
        return None
    def peak_memory_bytes(self):
        return 5
def open_device(threads):
    return Mine("mine", "My model", threads)
"""


def opened(folder: Path, text: str) -> Device:
    (folder / "device.py").write_text(text)
    return open_device("own", 1, str(folder / "device.py"))


def use_everything(device: Device) -> list[object]:
    device.use_precision("fp32")
    device.reset_peak_memory()
    run = device.prepare(nn.Identity(), torch.zeros(2, 3), PLAIN)
    device.finish()
    answers = (device.describe(), device.energy_joules(), device.peak_memory_bytes())
    return [run(), device.time_runs(run, 4), device.observe(), *answers]


def test_a_good_device_answers_through_the_checks(tmp_path: Path) -> None:
    logits, times, seen, *others = use_everything(opened(tmp_path, GOOD))
    assert isinstance(logits, torch.Tensor)
    np.testing.assert_array_equal(times, [2.0] * 4)
    assert isinstance(seen, Observation)
    assert others == [{"a": 1}, 3.0, 5.0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("np.full(count, 2.0)", "[1.0]", r"time_runs\(\) gave times of shape \(1,\); expected \(4,\)"),
        ("np.full(count, 2.0)", "np.full(count, -1)", r"time_runs\(\) gave times that are negative or not finite"),
        ("np.full(count, 2.0)", "np.full(count, np.nan)", "negative or not finite"),
        ("np.full(count, 2.0)", "'soon'", r"ValueError: .* when the times of time_runs\(\) were read"),
        ("np.full(count, 2.0)", "1 / 0", r"device\.py, line 8: ZeroDivisionError: division by zero, when time_runs\("),
        (
            "count, observe=lambda: None",
            "count",
            r"TypeError: .*time_runs\(\) takes 3 .* when time_runs\(\) was called",
        ),
        ("lambda: network(images)", "network(images)", r"prepare\(\) gave a Tensor; expected a function"),
        ('{"a": 1}', '{"a": object()}', r"describe\(\) gave what JSON cannot hold"),
        ('{"a": 1}', '{"a": float("nan")}', r"describe\(\) gave what JSON cannot hold"),
        ('{"a": 1}', "['a']", r"describe\(\) gave a list; expected a dict"),
        ("super().observe()", "{}", r"observe\(\) gave a dict; expected a Observation"),
        ("return 3", "return 'much'", r"energy_joules\(\) gave a str; expected a float or int"),
        ("return 5", "return None", r"peak_memory_bytes\(\) gave a NoneType; expected a float or int"),
        ("return None", "raise RuntimeError('no chip')", r"line 16: RuntimeError: no chip, when use_precision\(\) was"),
        ('"mine"', '"cuda"', "calls its kind cuda, so that its records would be taken for those of the built-in"),
        ('"mine"', '""', "the device's kind is ''; expected a str"),
        ('"My model"', "7", "the device's name is 7; expected a str"),
        ("    return Mine(", "    return str(", r"TypeError: .*, when open_device was called"),
        (
            "    return Mine",
            "    Mine",
            "open_device gave a NoneType, which lacks kind, name, torch_device, counts_mem",
        ),
        ("def open_device(threads)", "def open_device()", "TypeError: .* when open_device was called"),
        ("def open_device", "def open", r"it has no function open_device\(threads\)"),
        ("import numpy as np", "import nothing_of_that_name", "line 2: ModuleNotFoundError: No module named"),
        ("class Mine", "class Mine Mine", "SyntaxError"),
    ],
)
def test_what_breaks_the_interface_is_told_as_the_backends_error(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=message) as caught:
        use_everything(opened(tmp_path, GOOD.replace(old, new)))
    assert str(caught.value).startswith("profiling.backend ")
    assert "device.py" in str(caught.value)
    assert str(caught.value).endswith("docs/devices.md says what a device must do.")


def test_what_a_device_lacks_is_named(tmp_path: Path) -> None:
    text = """
import torch
class Half:
    kind, name, torch_device, counts_memory = "half", "Half a device", torch.device("cpu"), False
    finish = "not to be called"
    def describe(self): return {}
    def observe(self): ...
    def time_runs(self, run, count, observe): ...
def open_device(threads):
    return Half()
"""
    with pytest.raises(
        ConfigError,
        match=r"gave a Half, which lacks use_precision\(\), prepare\(\), finish\(\), energy_joules\(\), "
        r"reset_peak_memory\(\), peak_memory_bytes\(\); a class that inherits",
    ):
        opened(tmp_path, text)
    assert set(FUNCTIONS) == {
        *("describe", "use_precision", "prepare", "time_runs", "finish", "observe"),
        *("energy_joules", "reset_peak_memory", "peak_memory_bytes"),
    }


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("UnsupportedError('not here')", UnsupportedError),
        ("MemoryError('too big')", MemoryError),
        ("RuntimeError('my accelerator is out of memory')", RuntimeError),
    ],
)
def test_what_measuring_sorts_itself_passes(tmp_path: Path, error: str, kind: type[Exception]) -> None:
    text = GOOD.replace("import HostTimedDevice", "import HostTimedDevice, UnsupportedError")
    device = opened(tmp_path, text.replace("return lambda: network(images)", f"raise {error}"))
    with pytest.raises(kind):
        device.prepare(nn.Identity(), torch.zeros(2, 3), PLAIN)


def test_the_file_is_looked_at_before_any_job(tmp_path: Path) -> None:
    file = tmp_path / "device.py"
    check_backend(ProfilingConfig())
    for good in (
        "raise SystemExit  # must not run\ndef open_device(threads): ...",
        "from elsewhere import make as open_device",
    ):
        file.write_text(good)
        check_backend(profiling_of(file))
    file.write_text("def open(): ...\ndef close(): ...")
    with pytest.raises(ConfigError, match=r"has no function open_device\(threads\); it has close, open\. docs/devices"):
        check_backend(profiling_of(file))
    file.write_text("")
    with pytest.raises(ConfigError, match="it has none"):
        check_backend(profiling_of(file))
    file.write_text("def open_device(:")
    with pytest.raises(ConfigError, match=r"profiling\.backend .*device\.py is no valid Python"):
        check_backend(profiling_of(file))
    file.write_bytes(b"\x00")
    with pytest.raises(ConfigError, match="is no valid Python"):
        check_backend(profiling_of(file))
    (tmp_path / "device.txt").write_text("def open_device(threads): ...")
    for missing in ("nowhere.py", tmp_path, tmp_path / "device.txt"):
        with pytest.raises(ConfigError, match=r"but there is no such Python file \(\.py\)\. Looked for /"):
            check_backend(profiling_of(missing))


def test_looking_at_it_loads_no_torch(tmp_path: Path) -> None:
    """Each job of a cluster parses the workflow again."""
    file = tmp_path / "device.py"
    file.write_text("import torch\ndef open_device(threads): ...")
    program = """
import json, sys
from terranas.config.measuring import ProfilingConfig
from terranas.profiling.precheck import check_backend
check_backend(ProfilingConfig(device="own", backend=sys.argv[1]))
print(json.dumps(sorted({"torch", "pandas", "numba", "psutil"} & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
