"""Which commit the code is, and whether it was edited."""

import subprocess

import pytest

from terranas.core.repository import git_state


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def work_tree(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "terranas").mkdir(parents=True)
    (folder / "terranas" / "module.py").write_text("a = 1\n")
    git(tmp_path, "init", "-q", str(folder))
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_commit_of_a_clean_work_tree(work_tree):
    assert git_state(work_tree) == {"commit": git(work_tree, "rev-parse", "HEAD"), "dirty": False}


def test_an_edited_or_new_module_is_dirty_and_a_note_is_not(work_tree):
    (work_tree / "notes.txt").write_text("no code\n")
    assert git_state(work_tree)["dirty"] is False
    (work_tree / "terranas" / "new.py").write_text("b = 1\n")
    assert git_state(work_tree)["dirty"] is True
    (work_tree / "terranas" / "new.py").unlink()
    (work_tree / "terranas" / "module.py").write_text("a = 2\n")
    assert git_state(work_tree)["dirty"] is True


def test_a_folder_inside_somebody_elses_repository_has_no_commit(work_tree):
    inner = work_tree / "venv" / "site-packages"
    inner.mkdir(parents=True)
    assert git_state(inner) is None


def test_no_work_tree_no_commit_or_no_git(tmp_path, work_tree, monkeypatch):
    assert git_state(tmp_path) is None
    empty = tmp_path / "empty"
    git(tmp_path, "init", "-q", str(empty))
    assert git_state(empty) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(work_tree) is None


def test_variables_of_a_git_hook_do_not_mislead(work_tree, tmp_path, monkeypatch):
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", str(other))
    expected = git(work_tree, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert git_state(work_tree)["commit"] == expected
