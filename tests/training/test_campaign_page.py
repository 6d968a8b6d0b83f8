"""What a campaign took, lost and needs, and the page that says so."""

import re
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest

from terranas.config import load_config
from terranas.core.page import page_template, render
from terranas.training.attempts import Attempt
from terranas.training.campaign import STATES, Campaign, Training
from terranas.training.campaign_page import campaign_page
from terranas.training.campaign_report import (
    Expected,
    memory_ratios,
    outlook,
    slowest,
    time_ratios,
    trainings_table,
)
from terranas.training.slurm_jobs import SlurmJob

NAMES = [digit * 32 for digit in "0123456789"]
HOSTILE = "<script>alert(1)</script>"


def attempt(seconds, ending="finished", wasted=0.0, energy=None, processes=2, requeued=False):
    return Attempt(0.0, seconds, ending, "", requeued, processes, energy, wasted, "node1")


def finished(name, seconds, **changed):
    facts = {"outcome": "ok", "attempts": [attempt(seconds, energy=3.6e6)], "energy": 3.6e6}
    return Training(name, "finished", seconds=seconds, epochs=4, **facts | changed)


@pytest.fixture
def campaign():
    queued = SlurmJob("9", "r", "PENDING", "training_train", NAMES[6], "", "Priority")
    return Campaign(
        [
            finished(NAMES[0], 200.0, used_host_mb=500.0, used_device_mb=90.0),
            finished(NAMES[1], 400.0, used_host_mb=1500.0, used_device_mb=110.0),
            finished(NAMES[2], 300.0, used_host_mb=1000.0),
            finished(NAMES[3], 10.0, outcome="diverged", reason="loss not finite"),
            Training(NAMES[4], "running", attempts=[attempt(50.0, "running")], seconds=50.0, left=77.0, epochs=2),
            Training(
                NAMES[5],
                "failed",
                reason=HOSTILE,
                attempts=[attempt(60.0, "interrupted", requeued=True), attempt(40.0, "killed", wasted=30.0)],
                seconds=100.0,
                log_tail=["line one", HOSTILE],
            ),
            Training(NAMES[6], "queued", job=queued, reason="Priority"),
            Training(NAMES[7], "waiting"),
            Training(NAMES[8], "stopped", reason="SIGTERM"),
            Training(NAMES[9], "missing"),
        ],
        time=1.7e9,
        queue_known=True,
    )


@pytest.fixture
def expected():
    return {name: Expected(100.0, 1000.0, 100.0) for name in NAMES}


@pytest.fixture
def study():
    settings = {"training": {"device": "cuda", "processes": 2}, "report": {"title": HOSTILE}}
    return load_config(settings).model_dump(mode="json")


def test_ratios_are_of_trainings_that_reached_their_end(campaign, expected):
    np.testing.assert_allclose(time_ratios(campaign, expected), [2.0, 4.0, 3.0])
    np.testing.assert_allclose(memory_ratios(campaign, expected, device=False), [0.5, 1.5, 1.0])
    np.testing.assert_allclose(memory_ratios(campaign, expected, device=True), [0.9, 1.1])


def test_the_outlook_adds_up(campaign, expected):
    found = outlook(campaign, expected, processes=2)
    assert found.planned == 2 * 1000.0
    assert found.spent == 2 * (200 + 400 + 300 + 10 + 50 + 60 + 40)
    assert found.lost == 2 * 30.0
    assert found.correction == 3.0
    # the running one by its pace; the failed one kept 60 + 10 of its 300; four have to do all
    assert found.left == 2 * (77.0 + (300.0 - 70.0) + 4 * 300.0)
    assert found.longest == 300.0
    assert found.energy == 4 * 3.6e6
    assert found.energy_known == pytest.approx((200 + 400 + 300 + 10) / (200 + 400 + 300 + 10 + 50 + 60 + 40))


def test_before_the_start_the_estimate_is_all_there_is(expected):
    found = outlook(Campaign([Training(name, "missing") for name in NAMES], 0.0, True), expected, processes=4)
    assert (found.planned, found.left, found.spent, found.energy_known) == (4000.0, 4000.0, 0.0, 0.0)
    assert found.correction == 1.0


def test_two_finished_trainings_correct_nothing_yet(campaign, expected):
    few = Campaign(campaign.trainings[1:3], 0.0, True)
    assert outlook(few, expected, processes=2).correction == 1.0


def test_the_slowest_come_first(campaign):
    assert [training.hash for training in slowest(campaign, 3)] == [NAMES[1], NAMES[2], NAMES[0]]


def test_the_table_has_a_row_a_training(campaign, expected):
    table = trainings_table(campaign, expected).set_index("hash")
    assert table["state"].tolist() == [training.state for training in campaign.trainings]
    row = table.loc[NAMES[5]]
    assert (row["attempts"], row["interrupted"], row["requeued"], row["killed"], row["lost_seconds"]) == (
        2,
        1,
        1,
        1,
        30,
    )
    assert table.loc[NAMES[0], "process_hours"] == pytest.approx(400 / 3600, abs=1e-4)
    assert np.isnan(table.loc[NAMES[9], "seconds_left"])


def body_of(page):
    content = render(page, page_template())
    assert "<script" not in content
    # the text alone, as it is read
    return content, re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]*>", " ", content.split("<body>")[1])))


def test_the_page_says_it_all_and_nothing_in_it_runs(campaign, expected, study):
    html, text = body_of(campaign_page(campaign, expected, study, disk_bytes=5_000_000_000))
    assert "4 of 10" in text
    assert "10 trainings" in text
    for state, meaning in STATES.items():
        assert f"{state.capitalize()} 1 " in text or state == "finished"
        assert meaning[1:] in text
    assert "GPU hours" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert f"End of the log of {NAMES[5]}" in text
    assert "3 reached their last epoch and 1 diverged" in text
    assert "Priority (1)" in text
    assert "are multiplied by 3.00" in text
    assert "5.00\u202fGB of disk space" in text
    assert "4.00\u202fkWh" in text
    assert 'src="data:image/png;base64,' in html


def test_the_page_of_a_study_that_has_not_begun(expected, study):
    nothing = Campaign([Training(name, "missing") for name in NAMES], 1.7e9, queue_known=False)
    html, text = body_of(
        campaign_page(nothing, expected, study | {"training": study["training"] | {"device": "cpu"}}, 10)
    )
    assert "Nothing was spent yet." in text
    assert "Slurm did not answer" in text
    assert "process hours" in text
    assert "GPU hours" not in text
    assert "<img" not in html


def test_the_bar_covers_its_width(campaign, expected, study):
    html, _ = body_of(campaign_page(campaign, expected, study, 10))
    bar = ElementTree.fromstring(re.search(r'<svg role="img" aria-label="Shares.*?</svg>', html)[0])
    widths = [float(part.get("width").rstrip("%")) for part in bar]
    assert sum(widths) == pytest.approx(100.0, abs=0.02)
    assert widths[0] == pytest.approx(40.0)
