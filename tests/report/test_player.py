"""The search player's data: archives against their definition, shards read back, and what the page is told."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from terranas.comparison.schema import ANYTIME
from terranas.core.errors import TableError
from terranas.core.tables import write_table
from terranas.report.player import PlayerSource, archive_intervals, read_player_source, write_player
from terranas.report.player_shards import PREDICTED, REPEATED, START, STILL, packed
from terranas.report.shell import PageLink, Shell, render_template
from terranas.search.schema import EVALUATIONS, QUEUE, RUNS

from .player_study import ARMS, OBJECTIVES, SAMPLE, SEEDS, archive_after, of_search, player_source, searches
from .shard_files import read_shard


def unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a shard as its module describes it."""
    length = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + length])
    arrays = {
        name: np.frombuffer(content, np.dtype(kind).newbyteorder("<"), size, 4 + length + offset)
        for name, (kind, offset, size) in header["arrays"].items()
    }
    return header, arrays


@pytest.fixture(scope="module", params=[2, 3])
def source(request: pytest.FixtureRequest) -> PlayerSource:
    return player_source(request.param)


@pytest.fixture(scope="module")
def written(source: PlayerSource, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    site = tmp_path_factory.mktemp("site")
    return site, write_player(source, site)


@pytest.mark.parametrize("arm", ARMS)
def test_archives_are_the_non_dominated_evaluations_so_far(source: PlayerSource, arm: str) -> None:
    own = of_search(source.evaluations, arm, 1)
    found = archive_intervals(own, source.objectives)
    names = own["architecture"].to_numpy()
    for at in range(1, len(own) + 1):
        there = found[(found["evaluation"] <= at) & (found["left"] > at)]
        assert len(there) == there["evaluation"].nunique()
        assert set(names[there["evaluation"] - 1]) == archive_after(own, at, len(source.objectives))
    assert found["evaluation"].is_monotonic_increasing
    assert found["left"].max() == len(own) + 1
    if "published" not in arm:
        fronts = searches(len(source.objectives))[1][arm].fronts
        front = fronts[(fronts["seed"] == 1) & (fronts["budget"] == fronts["budget"].max())]
        last = found[found["left"] > len(own)]
        assert sorted(names[last["evaluation"] - 1]) == front["architecture"].tolist()


def test_a_shard_holds_its_search(source: PlayerSource, written: tuple[Path, dict[str, Any]]) -> None:
    site, manifest = written
    columns = [objective.name for objective in source.objectives]
    for arm in manifest["arms"]:
        for seed, run in arm["runs"].items():
            header, arrays = unpacked(read_shard(site, run["shard"]))
            names = np.array(header["names"])
            own = of_search(source.evaluations, arm["key"], int(seed))
            values = arrays["values"].reshape(len(columns), -1).T
            np.testing.assert_array_equal(values, own[columns].to_numpy(dtype=np.float32))
            for bit, column in ((START, "start"), (PREDICTED, "predicted"), (REPEATED, "repeated")):
                np.testing.assert_array_equal((arrays["flags"] & bit) > 0, own[column])
            architectures = own["architecture"].to_numpy()
            entered = architectures[arrays["archive_entered"] - 1]
            np.testing.assert_array_equal(names[arrays["archive_member"]], entered)
            queue = of_search(source.queue, arm["key"], int(seed))
            np.testing.assert_array_equal(names[arrays["queue_member"]], queue["architecture"])
            np.testing.assert_array_equal(arrays["queue_left"], queue["left"].fillna(STILL).astype("int64"))
            for column in ("search", "joined"):
                np.testing.assert_array_equal(arrays[f"queue_{column}"], queue[column])
            assert (len(queue) > 0) == arm["queue"]
            # members have all digits
            of_member = pd.concat([own, queue]).drop_duplicates("architecture").set_index("architecture")
            members = arrays["member_values"].reshape(len(columns), -1).T
            np.testing.assert_array_equal(members, of_member.loc[names, columns])
            np.testing.assert_array_equal(arrays["member_predicted"], of_member.loc[names, "predicted"])
            volumes = of_search(source.anytime, arm["key"], int(seed))
            np.testing.assert_array_equal(arrays["volume_evaluation"], volumes["evaluation"])
            np.testing.assert_array_equal(arrays["volume"], volumes["hypervolume"])


def test_arrays_stand_where_typed_arrays_may_begin() -> None:
    arrays = {
        "one": np.arange(3, dtype=np.uint8),
        "two": np.arange(5, dtype=np.float64),
        "none": np.zeros(0, np.uint32),
    }
    for name in ("", "a", "ab", "äöü", 'x"</script>'):
        content = packed(arrays, {"names": [name]})
        header, found = unpacked(content)
        assert header["names"] == [name]
        start = 4 + int.from_bytes(content[:4], "little")
        assert all((start + offset) % 8 == 0 for _, offset, _ in header["arrays"].values())
        for key, array in arrays.items():
            np.testing.assert_array_equal(found[key], array)


def test_the_page_is_told_what_it_needs(source: PlayerSource, written: tuple[Path, dict[str, Any]]) -> None:
    _, manifest = written
    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest
    arms = {arm["key"]: arm for arm in manifest["arms"]}
    assert set(arms) == set(ARMS)
    assert [key for key, arm in arms.items() if arm["charge"]] == ["sample"]
    assert arms["sample"]["charge"] == SAMPLE
    assert {key for key, arm in arms.items() if arm["queue"]} == {"sample", "random", "restarts", "random_published"}
    assert [key for key, arm in arms.items() if arm["published"]] == ["random_published"]
    assert [key for key, arm in arms.items() if arm["restarts"]] == ["restarts"]
    for key, arm in arms.items():
        assert list(arm["runs"]) == [str(seed) for seed in range(SEEDS)]
        for seed, run in arm["runs"].items():
            ended = of_search(source.runs, key, int(seed)).sort_values("budget").iloc[-1]
            assert (run["evaluations"], run["budget"]) == (ended["evaluations"], ended["budget"])
            assert run["stopped_by"] == ended["stopped_by"]
    assert sorted(map(tuple, manifest["front"])) == sorted(map(tuple, source.front.tolist()))
    accuracy, macs = manifest["objectives"][:2]
    assert (accuracy["unit"], accuracy["scale"], accuracy["maximised"], accuracy["logarithmic"]) == (
        "%",
        100,
        True,
        False,
    )
    assert (macs["name"], macs["unit"], macs["maximised"], macs["logarithmic"]) == ("MACs", "", False, True)


def test_a_search_without_evaluations_is_left_out(tmp_path: Path) -> None:
    source = player_source()
    gone = of_search(source.evaluations, "random", 0).index
    less = PlayerSource(**{**vars(source), "evaluations": source.evaluations.drop(gone)})
    runs = {arm["key"]: list(arm["runs"]) for arm in write_player(less, tmp_path)["arms"]}
    assert runs["random"] == ["1"]
    assert runs["nsga2"] == ["0", "1"]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[str]]:
    """Write the tables of all searches, as the workflow leaves them."""
    paths: dict[str, list[str]] = {"evaluations": [], "queue": [], "runs": []}
    for arm, tables in searches(2)[1].items():
        for name, schema in (("evaluations", EVALUATIONS), ("queue", QUEUE), ("runs", RUNS)):
            path = tmp_path / arm / f"{name}.parquet"
            path.parent.mkdir(exist_ok=True)
            write_table(getattr(tables, name), path, schema)
            paths[name].append(str(path))
    source = player_source()
    write_table(source.anytime, tmp_path / "anytime.parquet", ANYTIME, source.reference)
    return paths


def test_tables_are_read_as_they_were_written(files: dict[str, list[str]], tmp_path: Path) -> None:
    problem, expected = searches(2)[0], player_source()
    found = read_player_source(
        files,
        str(tmp_path / "anytime.parquet"),
        StandIn(problem.values),  # type: ignore[arg-type]
        StandIn(problem.used),  # type: ignore[arg-type]
        benchmark="own",
        objectives=problem.objectives,
        training_sample=SAMPLE,
    )
    for name in ("evaluations", "queue", "runs", "anytime"):
        pd.testing.assert_frame_equal(
            getattr(found, name).reset_index(drop=True),
            getattr(expected, name).reset_index(drop=True),
            check_exact=True,
        )
    assert sorted(map(tuple, found.front.tolist())) == sorted(map(tuple, expected.front.tolist()))
    assert found.reference == expected.reference
    assert [vars(one) for one in found.objectives] == [vars(one) for one in OBJECTIVES[:2]]


class StandIn:
    """Of a benchmark what the player asks for."""

    def __init__(self, known: np.ndarray) -> None:
        self.known = known

    def values(self, metrics: list[str]) -> np.ndarray:
        assert metrics == [objective.name for objective in OBJECTIVES[:2]]
        return self.known

    def direction(self, metric: str) -> str:
        return next(objective.direction for objective in OBJECTIVES if objective.name == metric)

    def unit(self, metric: str) -> str:
        return next(objective.unit for objective in OBJECTIVES if objective.name == metric)


def test_a_missing_table_is_said(files: dict[str, list[str]], tmp_path: Path) -> None:
    Path(files["queue"][0]).unlink()
    with pytest.raises(TableError, match=r"queue\.parquet"):
        read_player_source(
            files,
            str(tmp_path / "anytime.parquet"),
            StandIn(np.zeros((1, 2))),  # type: ignore[arg-type]
            None,
            benchmark="own",
            objectives=["test_micro_accuracy", "macs"],
            training_sample=SAMPLE,
        )


def test_names_from_outside_stay_text(written: tuple[Path, dict[str, Any]]) -> None:
    hostile = '</script><script>alert("x")</script>'
    manifest = {**written[1], "dataset": hostile}
    shell = Shell("A study", "", [PageLink("index.html", "Overview"), PageLink("player.html", "Player")], "1")
    text = render_template("player.html", shell, "player.html", manifest=manifest)
    assert hostile not in text
    embedded = re.search(r'<script type="application/json" id="player-data">(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    assert json.loads(embedded[1]) == manifest
