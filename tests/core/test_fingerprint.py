"""What changes a fingerprint, and what does not."""

from pathlib import Path

import pytest

from terranas.core import fingerprint as module


@pytest.fixture
def package(tmp_path):
    """A package with a chain of imports, and a script that starts it."""
    root = tmp_path / "terranas"
    files = {
        "__init__.py": "",
        "stage/__init__.py": '"""Stage."""\n',
        "stage/first.py": "from terranas.stage import second\n\n\ndef f():\n    return second.VALUE\n",
        "stage/second.py": '"""Words."""\n\nVALUE = 1\n"""More words."""\n',
        "other.py": "VALUE = 1\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    script = tmp_path / "script.py"
    script.write_text("from terranas.stage.first import f\n\nprint(f())\n")
    return root, script


def fingerprint(package):
    module._digest_and_imports.cache_clear()
    root, script = package
    return module.fingerprint(script, root)


def edit(path: Path, old: str, new: str):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_words_and_unrelated_modules_do_not_count(package):
    root, script = package
    before = fingerprint(package)
    edit(root / "stage/second.py", '"""Words."""', '"""Other words."""\n# and a comment')
    edit(root / "stage/second.py", '"""More words."""', "")
    edit(root / "other.py", "1", "2")
    edit(script, "print(f())", "print(\n    f()\n)")
    assert fingerprint(package) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("stage/second.py", "VALUE = 1", "VALUE = 2"),
        ("stage/first.py", "second.VALUE", "second.VALUE + 0"),
        ("stage/__init__.py", '"""Stage."""', "import os"),
    ],
)
def test_code_counts_through_all_imports(package, file, old, new):
    before = fingerprint(package)
    edit(package[0] / file, old, new)
    assert fingerprint(package) != before


def test_an_import_inside_a_function_counts(package):
    root, script = package
    edit(script, "print(f())", "def g():\n    import terranas.other\n")
    before = fingerprint(package)
    edit(root / "other.py", "1", "2")
    assert fingerprint(package) != before


def test_the_place_of_the_checkout_does_not_count(package, tmp_path_factory):
    root, script = package
    copy = tmp_path_factory.mktemp("elsewhere")
    for path in [*root.rglob("*.py"), script]:
        target = copy / path.relative_to(root.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    assert fingerprint((copy / "terranas", copy / "script.py")) == fingerprint(package)


def test_what_was_found_is_kept_for_the_next_process(package, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "KEPT", tmp_path / "cache" / "kept.json")

    def anew():
        for function in (module._digest_and_imports, module._kept, module._keep_at_exit):
            function.cache_clear()
        return module.fingerprint(package[1], package[0])

    before = anew()
    module._keep()
    monkeypatch.setattr(module, "_summary", None)  # nothing is parsed again
    assert anew() == before
    monkeypatch.undo()
    monkeypatch.setattr(module, "KEPT", tmp_path / "cache" / "kept.json")
    for damaged in ("{", "[]", '{"1:terranas:0": 3}', ""):
        module.KEPT.write_text(damaged)
        assert anew() == before
    edit(package[0] / "stage/second.py", "VALUE = 1", "VALUE = 2")
    assert anew() != before
    module._kept.cache_clear()
