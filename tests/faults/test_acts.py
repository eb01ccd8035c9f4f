"""A person's words to a campaign that runs, from the command line: what they change, and what goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.facts import Abandoned, CampaignClosed, CampaignReopened, Completed, Fact, LeaseRevoked, Started
from events.folder import Campaign as Folder
from events.log import Recorded
from replay.audit import audit
from tests.faults.runs import Place
from tests.tiny import ALONE

SLOW = (("epochs = [5]", "epochs = [30]"), ("width = 16", "width = 256"), ("length = [8, 12]", "length = [32]"))


def facts(frames: list[Recorded], kind: type[Fact]) -> list[Fact]:
    return [fact for recorded in frames for fact in recorded.facts if isinstance(fact, kind)]


@pytest.mark.prove
def test_a_running_experiment_that_is_cancelled_ends_and_its_device_takes_the_next(
    world: Folder, tmp_path: Path, places: list[Place]
) -> None:
    place = Place(tmp_path, world, *SLOW, ALONE)
    places.append(place)
    run = place.starts().until(lambda: place.count("Started") >= 1)
    asked = place.calls("declare", "tiny", "cancel", "e-1", "--reason", "a twin of last year's")
    assert asked.code == 0, asked
    run.until(lambda: place.count("LeaseRevoked") >= 1 and place.count("Started") >= 2)
    run.interrupts()
    run.until(lambda: "stopping after what runs" in run.said())
    run.interrupts()
    assert run.ended().code == 0
    place.all_gone()
    frames = place.frames()
    revoked = [fact.reason for fact in facts(frames, LeaseRevoked) if isinstance(fact, LeaseRevoked)]
    assert revoked[0] == "cancelled"
    (abandoned,) = facts(frames, Abandoned)
    assert isinstance(abandoned, Abandoned)
    assert (abandoned.experiment, abandoned.reason) == ("e-1", "cancelled by a person: a twin of last year's")
    started = [fact.experiment for fact in facts(frames, Started) if isinstance(fact, Started)]
    assert started[0] == "e-1"
    assert "e-1" not in started[1:]


def test_a_closed_campaign_is_reopened_for_more_experiments(world: Folder, tmp_path: Path, places: list[Place]) -> None:
    place = Place(tmp_path, world, ("experiments = 6", "experiments = 2"), ALONE)
    places.append(place)
    assert place.runs().code == 0
    before, text = place.frames(), place.file.read_text()
    assert place.calls("declare", "tiny", "reopen", "--reason", "one more").code == 0
    place.file.write_text(text.replace("experiments = 2", "experiments = 3"))
    ended = place.runs()
    assert (ended.code, "closed (3 experiments completed" in ended.out) == (0, True), ended
    after = place.frames()
    assert after[: len(before)] == before
    assert (len(facts(after, Completed)), len(facts(after, CampaignClosed))) == (3, 2)
    assert [fact.file is None for fact in facts(after, CampaignReopened) if isinstance(fact, CampaignReopened)] == [
        True,
        False,
    ]
    assert "experiments = 3" in place.folder.file.read_text()
    log = place.log()
    try:
        assert [ruling.breaches for ruling in audit(log).rulings if ruling.broken] == []
    finally:
        log.close()
