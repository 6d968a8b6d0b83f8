import pytest

from terranas.core.errors import DataError, TerranasError
from terranas.training.acceptance import accept, read_accepted, retract

FIRST, SECOND = "0" * 32, "f" * 32


def test_accept_and_retract(tmp_path):
    path = tmp_path / "accepted.json"
    assert read_accepted(path) == {}
    accept(path, FIRST, " disk full ")
    accept(path, SECOND, "killed")
    assert read_accepted(path) == {FIRST: "disk full", SECOND: "killed"}
    retract(path, FIRST)
    assert read_accepted(path) == {SECOND: "killed"}


def test_wrong_requests_change_nothing(tmp_path):
    path = tmp_path / "accepted.json"
    with pytest.raises(TerranasError, match="'abc' is no architecture hash"):
        accept(path, "abc", "reason")
    with pytest.raises(TerranasError, match="reason is needed"):
        accept(path, FIRST, "  ")
    with pytest.raises(TerranasError, match="nothing to take back"):
        retract(path, FIRST)
    assert not path.exists()


@pytest.mark.parametrize("content", ["[]", '{"abc": "x"}', f'{{"{FIRST}": ""}}', f'{{"{FIRST}": 3}}', "{"])
def test_damaged_file_is_told(tmp_path, content):
    (tmp_path / "accepted.json").write_text(content)
    with pytest.raises(DataError, match=r"accepted\.json"):
        read_accepted(tmp_path / "accepted.json")
