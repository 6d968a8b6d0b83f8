import logging

import pytest
import torch

from terranas.core.errors import EnvironmentLackError
from terranas.training.checkpoint import Checkpoints, save_weights

IDENTITY = {"architecture": "a" * 32, "recipe": "0123", "code version": 2}


@pytest.fixture
def checkpoints(tmp_path):
    def make(**changed):
        return Checkpoints(**{"folder": tmp_path / "_state" / "a" / "b", "identity": IDENTITY} | changed)

    return make


def names(checkpoints):
    return sorted(path.name for path in checkpoints.folder.iterdir())


def test_round_trip_and_what_is_kept(checkpoints):
    saved = checkpoints()
    assert saved.load() is None
    assert saved.finished() is None
    for epochs, steps in ((2, 0), (4, 0), (4, 17), (10, 0)):
        saved.save({"w": torch.arange(3.0), "epochs": epochs}, epochs, steps)
    assert names(saved) == ["checkpoint-10-0.pt", "checkpoint-4-17.pt"]
    loaded = saved.load()
    assert loaded["epochs"] == 10
    assert torch.equal(loaded["w"], torch.arange(3.0))


def test_all_are_kept_where_that_is_asked_for(checkpoints):
    saved = checkpoints(kept=None)
    for epochs in range(1, 6):
        saved.save({}, epochs, 0)
    saved.finish({"rows": []})
    assert names(saved) == [*(f"checkpoint-{epochs}-0.pt" for epochs in range(1, 6)), "result.pt"]


def test_the_result_takes_the_place_of_checkpoints(checkpoints):
    saved = checkpoints()
    saved.save({"epochs": 2}, 2, 0)
    saved.finish({"rows": [1]})
    assert names(saved) == ["result.pt"]
    assert saved.finished() == {"rows": [1]}
    assert saved.load() is None


def test_how_often(checkpoints):
    assert [epoch for epoch in range(1, 8) if checkpoints(every=3).is_due(epoch, 7)] == [3, 6, 7]


def damage(path, how):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"truncate": content[:-1], "flip": content, "empty": b"", "text": b"x" * 4000}[how])


def test_damaged_ones_that_got_further_do_not_push_out_what_comes_after(checkpoints):
    saved = checkpoints()
    saved.save({"epochs": 2}, 2, 0)
    whole = (saved.folder / "checkpoint-2-0.pt").read_bytes()
    for epochs in (4, 6):
        damage(saved.save({"epochs": epochs}, epochs, 0), "flip")
    (saved.folder / "checkpoint-2-0.pt").write_bytes(whole)  # say, all were kept until now
    assert saved.load() == {"epochs": 2}
    saved.save({"epochs": 2, "steps": 7}, 2, 7)
    assert names(saved) == ["checkpoint-2-0.pt", "checkpoint-2-7.pt"]
    assert saved.load() == {"epochs": 2, "steps": 7}


@pytest.mark.parametrize("how", ["truncate", "flip", "empty", "text"])
def test_a_damaged_one_is_skipped_for_the_one_before(checkpoints, how, caplog):
    saved = checkpoints()
    saved.save({"epochs": 2}, 2, 0)
    damage(saved.save({"epochs": 4}, 4, 0), how)
    assert saved.load() == {"epochs": 2}
    assert "checkpoint-4-0.pt is damaged (its checksum differs) and is passed over" in caplog.text
    damage(saved.folder / "checkpoint-2-0.pt", how)
    assert saved.load() is None
    assert "No checkpoint in" in caplog.text
    assert "starts anew" in caplog.text


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"architecture": "b" * 32}, f"its architecture is {'b' * 32}, this training's is {'a' * 32}"),
        ({"recipe": "4567"}, "its recipe is 4567, this training's is 0123"),
        ({"code version": 1}, "its code version is 1, this training's is 2"),
    ],
)
def test_one_of_another_training_is_never_used(checkpoints, changed, sentence, caplog):
    mine, other = checkpoints(kept=None), checkpoints(identity=IDENTITY | changed, kept=None)
    mine.save({"epochs": 2}, 2, 0)
    other.save({"epochs": 4}, 4, 0)
    assert mine.load() == {"epochs": 2}
    assert f"checkpoint-4-0.pt is not used: {sentence}." in caplog.text
    other.finish({"rows": []})
    assert mine.finished() is None
    assert f"result.pt is not used: {sentence}." in caplog.text


def test_one_of_another_format_is_told(checkpoints, monkeypatch, caplog):
    saved = checkpoints()
    monkeypatch.setattr("terranas.training.checkpoint.FORMAT", 1)
    saved.save({"epochs": 2}, 2, 0)
    monkeypatch.setattr("terranas.training.checkpoint.FORMAT", 2)
    assert saved.load() is None
    assert "another version of terranas (format 1, this one reads format 2)" in caplog.text


def test_a_pickle_that_would_run_code_is_passed_over(checkpoints, tmp_path, caplog):
    """A right checksum does not make a file trustworthy."""
    saved, ran = checkpoints(), tmp_path / "ran"

    class Bad:
        def __reduce__(self):
            return (open, (str(ran), "w"))

    saved.save({"epochs": 4, "bad": Bad()}, 4, 0)
    assert saved.load() is None
    assert not ran.exists()
    assert "cannot be read" in caplog.text


def test_a_full_disk_is_told_and_harms_no_older_one(checkpoints, monkeypatch):
    saved = checkpoints()
    saved.save({"epochs": 2}, 2, 0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EnvironmentLackError, match=r"checkpoint-4-0\.pt .*MB\) cannot be written: No space left"):
        saved.save({"epochs": 4}, 4, 0)
    assert names(saved) == ["checkpoint-2-0.pt"]


def test_what_a_kill_left_half_written_is_removed(checkpoints):
    saved = checkpoints()
    saved.save({"epochs": 2}, 2, 0)
    (saved.folder / ".checkpoint-4-0.x3k.pt").write_bytes(b"torn")
    (saved.folder / "history.jsonl").write_text("")
    saved.save({"epochs": 4}, 4, 0)
    assert names(saved) == ["checkpoint-2-0.pt", "checkpoint-4-0.pt", "history.jsonl"]


def test_weights_are_read_by_torch(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        save_weights({"w": torch.arange(3)}, tmp_path / "weights.pt")
    assert torch.equal(torch.load(tmp_path / "weights.pt", weights_only=True)["w"], torch.arange(3))
