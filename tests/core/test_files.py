"""Writing whole or not at all."""

import hashlib
import os
import stat

import pytest

from terranas.core.errors import DataError, EnvironmentLackError
from terranas.core.files import (
    atomic_folder,
    atomic_path,
    read_json,
    require_free_space,
    sha256_file,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_old_content_and_no_temporary_file(tmp_path):
    target = tmp_path / "folder" / "table.csv"
    write_text(target, "old")

    def write_half():
        with atomic_path(target) as temporary:
            temporary.write_text("new")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert target.read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"]


def test_the_temporary_file_keeps_the_suffix_and_the_result_has_normal_permissions(tmp_path):
    previous = os.umask(0o022)
    try:
        with atomic_path(tmp_path / "a.npy") as temporary:
            assert temporary.suffix == ".npy"
            assert temporary.parent == tmp_path
            temporary.write_bytes(b"x")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "a.npy").stat().st_mode) == 0o644


def test_json_refuses_nan_and_says_which_file_is_broken(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not (tmp_path / "a.json").exists()
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(DataError, match=r"b\.json is no valid JSON"):
        read_json(tmp_path / "b.json")


def test_sha256_equals_hashlib_over_piece_borders(tmp_path):
    content = os.urandom((1 << 20) + 17)
    (tmp_path / "f").write_bytes(content)
    assert sha256_file(tmp_path / "f") == hashlib.sha256(content).hexdigest()


def test_too_little_disk_space_is_said_with_both_sizes(tmp_path):
    require_free_space(tmp_path / "not" / "there" / "yet", 1)
    with pytest.raises(EnvironmentLackError, match=r"1000000000\.00 GB are needed, .* GB are free"):
        require_free_space(tmp_path, 10**18)


def test_a_folder_is_replaced_whole(tmp_path):
    for content in ("old", "new"):
        with atomic_folder(tmp_path / "site") as folder:
            assert list(folder.iterdir()) == []
            (folder / content).write_text(content)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["new"]
    assert stat.S_IMODE((tmp_path / "site").stat().st_mode) & 0o500 == 0o500


def test_a_folder_that_fails_leaves_the_old_one(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old").touch()

    def write_half():
        with atomic_folder(tmp_path / "site") as folder:
            (folder / "new").touch()
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["old"]


def test_a_folder_that_cannot_be_renamed_leaves_the_old_one(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old").touch()

    def remove_what_was_made():
        with atomic_folder(tmp_path / "site") as folder:
            folder.rmdir()

    with pytest.raises(FileNotFoundError):
        remove_what_was_made()
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["old"]
