import contextlib
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import sha256_file, write_json
from terranas.data import staging
from terranas.data.layout import SPLITS
from terranas.data.staging import clean, expanded, staged

from ..waiting import until


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "fast"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def shared(tmp_path):
    """Arrays on the shared storage, and their manifest."""
    rng = np.random.default_rng(0)
    arrays, manifest = {}, {"source": "npz", "splits": {split: {} for split in SPLITS}}
    (tmp_path / "shared").mkdir()
    for split in SPLITS:
        for part, content in (("images", rng.integers(0, 255, (30, 8, 8, 3), np.uint8)), ("labels", np.arange(30))):
            path = tmp_path / "shared" / f"{split}_{part}.npy"
            np.save(path, content)
            arrays[f"{split}_{part}"] = str(path)
            manifest["splits"][split][f"sha256_{part}"] = sha256_file(path)
    return arrays, manifest


def copies(place):
    return sorted(path for path in place.glob("terranas-*/*") if path.is_dir())


def total_bytes(arrays):
    return sum(Path(path).stat().st_size for path in arrays.values())


def test_arrays_are_copied_verified_and_found_again(shared, place, caplog):
    arrays, manifest = shared
    caplog.set_level(logging.INFO)
    with staged(arrays, manifest, str(place), False) as paths:
        assert paths.keys() == arrays.keys()
        for name, path in paths.items():
            assert Path(path).read_bytes() == Path(arrays[name]).read_bytes()
            assert Path(path).is_relative_to(place)
    own = place / f"terranas-{os.getuid()}"
    assert own.stat().st_mode & 0o777 == 0o700
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]
    assert copies(place) == [own / digest]
    times = {path: Path(path).stat().st_mtime_ns for path in paths.values()}
    assert "already" not in caplog.text
    with staged(arrays, manifest, str(place), False) as again:
        assert again == paths
    assert times == {path: Path(path).stat().st_mtime_ns for path in paths.values()}
    assert "staged in" in caplog.text
    assert "already" in caplog.text


def test_other_data_get_a_copy_of_their_own(shared, place):
    arrays, manifest = shared
    with staged(arrays, manifest, str(place), False), staged(arrays, manifest | {"source": "b"}, str(place), False):
        assert len(copies(place)) == 2


def test_nothing_is_staged_unless_asked(shared):
    arrays, manifest = shared
    with staged(arrays, manifest, None, True) as paths:
        assert paths == arrays


def test_the_last_user_cleans_up(shared, place):
    arrays, manifest = shared
    with staged(arrays, manifest, str(place), True):
        with staged(arrays, manifest, str(place), True) as inner:
            pass
        assert all(Path(path).exists() for path in inner.values())
        assert clean(str(place)) == 0
    assert copies(place) == []
    assert not list(place.glob("*/*"))


def test_clean_frees_what_nobody_uses(shared, place):
    arrays, manifest = shared
    assert clean(str(place)) == 0
    with staged(arrays, manifest, str(place), False):
        pass
    other = manifest | {"source": "b"}
    with staged(arrays, other, str(place), False):
        freed = clean(str(place))
        assert total_bytes(arrays) < freed < total_bytes(arrays) + 1000
        assert len(copies(place)) == 1
    assert clean(str(place)) == freed
    assert list(place.iterdir()) == []


def test_an_error_while_training_leaves_the_copy_usable(shared, place):
    arrays, manifest = shared
    with pytest.raises(OSError, match="the training's own"), staged(arrays, manifest, str(place), False):
        raise OSError("the training's own")
    with staged(arrays, manifest, str(place), False) as paths:
        assert paths != arrays


# --- places that cannot be used --------------------------------------------------------------------------------------


def falls_back(shared, place, caplog, reason):
    arrays, manifest = shared
    with staged(arrays, manifest, str(place), True) as paths:
        assert paths == arrays
    assert reason in caplog.text
    assert "the arrays are read from" in caplog.text


def test_no_room(shared, place, caplog, monkeypatch):
    usage = shutil.disk_usage(place)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    falls_back(shared, place, caplog, "0.10 GB are needed, 0.00 GB are free")
    assert copies(place) == []


def test_a_disk_that_fills_up_while_copying(shared, place, caplog, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging, "_copy_file", full)
    falls_back(shared, place, caplog, "No space left on device")
    assert copies(place) == []


def test_no_such_folder(shared, place, caplog):
    falls_back(shared, place / "missing", caplog, "there is no such folder")


@contextlib.contextmanager
def as_nobody():
    """Be a user who may not write everywhere; tests may run as root."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_no_permission(shared, caplog):
    arrays, manifest = shared
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name)
        closed.chmod(0o555)
        with as_nobody(), staged(arrays, manifest, str(closed), True) as paths:
            assert paths == arrays
        assert list(closed.iterdir()) == []
        assert "Permission denied" in caplog.text


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (lambda own: own.symlink_to(own.parent / "elsewhere"), "is no folder"),
        (lambda own: own.write_text("a file"), "is no folder"),
        (lambda own: (own.mkdir(), own.chmod(0o755)), "is open to other users (mode 755"),
        (lambda own: (own.mkdir(mode=0o700), own.parent.chmod(0o777)), "others can rename what is in"),
    ],
)
def test_a_folder_that_somebody_else_could_change_is_not_used(shared, place, caplog, hostile, reason):
    (place / "elsewhere").mkdir()
    hostile(place / f"terranas-{os.getuid()}")
    falls_back(shared, place, caplog, reason)
    assert list((place / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_of_somebody_else_is_not_used(shared, place, caplog):
    own = place / f"terranas-{os.getuid()}"
    own.mkdir(mode=0o700)
    os.chown(own, 65534, 65534)
    falls_back(shared, place, caplog, "belongs to user 65534")
    assert clean(str(place)) == 0


def test_a_linked_lock_is_not_followed(shared, place, caplog, tmp_path):
    arrays, manifest = shared
    with staged(arrays, manifest, str(place), False):
        pass
    (copy,) = copies(place)
    copy.with_suffix(".lock").unlink()
    copy.with_suffix(".lock").symlink_to(tmp_path / "victim")
    falls_back(shared, place, caplog, "symbolic link")
    assert not (tmp_path / "victim").exists()


def test_variables_of_the_environment(monkeypatch, shared):
    monkeypatch.setenv("FAST", "/fast")
    monkeypatch.setenv("EMPTY", "")
    assert expanded("$FAST/a") == expanded("${FAST}/a") == Path("/fast/a")
    assert expanded("/b") == Path("/b")
    for name in ("UNSET_NAME", "EMPTY"):
        with pytest.raises(EnvironmentLackError, match=rf"environment variable {name} is not set here"):
            expanded(f"${name}/a")
    with pytest.raises(EnvironmentLackError), staged(*shared, "$UNSET_NAME", False):
        pass


def test_auto_takes_the_first_place_with_room(shared, tmp_path, monkeypatch, caplog):
    arrays, manifest = shared
    first, second, third = (tmp_path / name for name in ("slurm", "tmp", "shm"))
    for folder in (first, second, third):
        folder.mkdir(mode=0o700)
    monkeypatch.setattr(staging, "AUTO_PLACES", ("$SLURM_TMPDIR", "$TMPDIR", str(third)))
    monkeypatch.setenv("SLURM_TMPDIR", str(first))
    monkeypatch.setenv("TMPDIR", str(second))
    usage = shutil.disk_usage(tmp_path)
    room = {first: 0, second: 10**12}
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=room[Path(path).parent]))
    with staged(arrays, manifest, "auto", False) as paths:
        assert all(Path(path).is_relative_to(second) for path in paths.values())
    assert f"{first} is not used for staging" in caplog.text
    monkeypatch.delenv("SLURM_TMPDIR")
    monkeypatch.delenv("TMPDIR")
    room[third] = 10**12
    with staged(arrays, manifest, "auto", False) as paths:
        assert all(Path(path).is_relative_to(third) for path in paths.values())


def test_memory_in_use_is_no_room_in_dev_shm(monkeypatch):
    if not Path("/dev/shm").is_dir():
        pytest.skip("no /dev/shm")
    memory = staging.psutil.virtual_memory()
    monkeypatch.setattr(staging.psutil, "virtual_memory", lambda: memory._replace(available=123))
    assert staging._free_bytes(Path("/dev/shm")) == 123


# --- damage ----------------------------------------------------------------------------------------------------------


def test_an_array_that_changed_is_named(shared, place):
    arrays, manifest = shared
    content = bytearray(Path(arrays["test_labels"]).read_bytes())
    content[-1] ^= 1
    Path(arrays["test_labels"]).write_bytes(bytes(content))
    with (
        pytest.raises(DataError, match=r"test_labels\.npy changed since it was prepared"),
        staged(arrays, manifest, str(place), False),
    ):
        pass
    assert copies(place) == []


@pytest.mark.parametrize("damage", ["truncated", "missing", "list", "no list"])
def test_a_damaged_copy_is_made_again(shared, place, damage):
    arrays, manifest = shared
    with staged(arrays, manifest, str(place), False) as paths:
        victim = Path(paths["train_images"])
    victim.chmod(0o600)
    if damage == "truncated":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif damage == "missing":
        victim.unlink()
    elif damage == "list":
        (victim.parent / staging.LIST).write_text("[1]")
    else:
        (victim.parent / staging.LIST).unlink()
    with staged(arrays, manifest, str(place), False) as paths:
        assert Path(paths["train_images"]).read_bytes() == Path(arrays["train_images"]).read_bytes()


def test_a_damaged_copy_in_use_is_left_alone(shared, place, caplog, monkeypatch):
    monkeypatch.setattr(staging, "PATIENCE", 3)
    arrays, manifest = shared
    with staged(arrays, manifest, str(place), False) as paths:
        Path(paths["train_images"]).unlink()
        falls_back(shared, place, caplog, "is not complete any more and still in use")
        assert Path(paths["test_images"]).exists()


# --- several processes -----------------------------------------------------------------------------------------------

PROGRAM = """
import json, logging, os, sys, time
from pathlib import Path
from terranas.core.files import write_json
from terranas.core.logs import configure_logging
from terranas.data import staging

folder, name, slow = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
configure_logging(folder / f"{name}.log")
original = staging._copy_file
def copy_file(source, target, size):
    (folder / f"{name}.copies").open("a").write(source.name + "\\n")
    time.sleep(slow)
    return original(source, target, size)
staging._copy_file = copy_file
arrays, manifest = json.loads((folder / "given.json").read_text())
with staging.staged(arrays, manifest, str(folder / "fast"), True) as paths:
    same = all(Path(paths[key]).read_bytes() == Path(arrays[key]).read_bytes() for key in arrays)
    write_json(folder / f"{name}.seen", [same, paths != arrays])
    while not (folder / "leave").exists():
        time.sleep(0.02)
"""


def start(tmp_path, shared, name, slow=0.0):
    write_json(tmp_path / "given.json", shared)  # at one stroke: others that were started read it meanwhile
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path), name, str(slow)])


def test_processes_that_start_together_copy_once(tmp_path, shared, place):
    started = [start(tmp_path, shared, str(number), 0.05) for number in range(5)]
    until(lambda: len(list(tmp_path.glob("[0-9].seen"))) == 5)
    assert [json.loads(path.read_text()) for path in tmp_path.glob("[0-9].seen")] == [[True, True]] * 5
    copied = [path.read_text().split() for path in tmp_path.glob("*.copies")]
    assert len(copied) == 1
    assert len(copied[0]) == 6
    assert len(copies(place)) == 1
    (tmp_path / "leave").touch()
    assert [process.wait(timeout=300) for process in started] == [0] * 5
    assert not list(place.glob("*/*"))


def test_what_a_killed_process_left_is_replaced(tmp_path, shared, place):
    killed = start(tmp_path, shared, "killed", 600)
    until(lambda: (tmp_path / "killed.copies").exists())
    waiting = start(tmp_path, shared, "waiting")
    until(
        lambda: "waiting for it" in (tmp_path / "waiting.log").read_text() if (tmp_path / "waiting.log").exists() else 0
    )
    assert not (tmp_path / "waiting.seen").exists()
    killed.kill()
    killed.wait()
    until(lambda: (tmp_path / "waiting.seen").exists())
    assert json.loads((tmp_path / "waiting.seen").read_text()) == [True, True]
    assert "its process was killed" in (tmp_path / "waiting.log").read_text()
    (tmp_path / "leave").touch()
    assert waiting.wait(timeout=300) == 0
    assert copies(place) == []
