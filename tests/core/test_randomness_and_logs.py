"""Seeds, durations, progress, the frame around scripts, figures."""

import logging
from types import SimpleNamespace

import pandas as pd
import pytest

from terranas.core.errors import DataError
from terranas.core.figures import figure, save_figure
from terranas.core.logs import format_duration, progress
from terranas.core.randomness import derive_seed, generator
from terranas.core.script import run_script


def test_streams_depend_on_every_argument_and_on_nothing_else():
    draws = {
        key: generator(*key).integers(1 << 40)
        for key in [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1), (0, "a", "1x")]
    }
    assert len(set(draws.values())) == len(draws)
    assert generator(0, "a").integers(1 << 40) == draws[(0, "a")]
    assert 0 <= derive_seed(0, "a") < 1 << 63


def test_seeds_never_change_between_versions():
    assert derive_seed(0, "sampling.walks", 3) == 5664423321187079187


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4 s"), (12.4, "12 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_progress_tells_the_share_and_the_time_left(caplog):
    logger = logging.getLogger("terranas.test")
    with caplog.at_level(logging.INFO, "terranas.test"):
        assert list(progress("abcd", 4, "letters", logger, every=0)) == list("abcd")
    assert any("letters: 2 of 4 (50 %)" in message and "left" in message for message in caplog.messages)
    assert "letters: 4 done" in caplog.messages[-1]


def test_a_user_error_is_one_line_and_a_defect_keeps_its_traceback(tmp_path):
    def refuse(_):
        raise DataError("the file has no images")

    def defect(_):
        raise ZeroDivisionError("oops")

    for main, wanted, unwanted in [(refuse, "the file has no images", "Traceback"), (defect, "Traceback", "nothing")]:
        log = tmp_path / f"{main.__name__}.log"
        with pytest.raises(SystemExit) as stopped:
            run_script(main, SimpleNamespace(log=[str(log)]))
        assert stopped.value.code == 1
        assert wanted in log.read_text()
        assert unwanted not in log.read_text()
    logging.getLogger().handlers.clear()


def test_a_figure_is_saved_in_all_formats_and_equal_numbers_give_equal_files(tmp_path):
    numbers = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    contents = []
    for folder in ("a", "b"):
        outputs = {kind: tmp_path / folder / f"figure.{kind}" for kind in ("png", "pdf", "svg", "csv")}
        with figure(3, 2) as (drawn, axes):
            axes.plot(numbers["x"], numbers["y"])
            save_figure(drawn, outputs, numbers)
        contents.append([path.read_bytes() for path in outputs.values()])
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG")
    assert contents[0][3] == b"x,y\n1.0,3.0\n2.0,4.0\n"
