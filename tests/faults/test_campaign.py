"""A whole campaign in its own process: it ends, it stops when asked, it resumes, and nobody runs it twice at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.archives.archive import open_folder
from events.facts import (
    CampaignClosed,
    Completed,
    ControlMeasured,
    Fact,
    LeaseRevoked,
    LogSealed,
    SeedsRepeated,
    Started,
    WorkerRetired,
)
from events.folder import Campaign as Folder
from events.log import Recorded
from events.wire import jetstream
from events.wire import server as servers
from events.wire.server import Running
from replay.audit import audit
from replay.measures import Measurement
from replay.seals import overall, verified
from tests.faults.runs import MANY, Place
from tests.tiny import ALONE


def facts(frames: list[Recorded], kind: type[Fact]) -> list[Fact]:
    return [fact for recorded in frames for fact in recorded.facts if isinstance(fact, kind)]


def digest(frames: list[Recorded]) -> str:
    measurement = Measurement()
    measurement.advance(frames)
    return measurement.digest()


def sealed(frames: list[Recorded]) -> bool:
    """Whether the last word is a seal that holds."""
    seal = frames[-1].facts[-1]
    return isinstance(seal, LogSealed) and seal.digest == digest(frames)


def test_a_campaign_runs_to_its_end_and_archive_store_and_seals_have_one_digest(place: Place) -> None:
    ended = place.runs()
    assert ended.code == 0, ended
    place.all_gone()
    frames = place.frames()
    assert len(facts(frames, Completed)) == 6
    assert len(facts(frames, CampaignClosed)) == 1
    assert f"digest {digest(frames)}" in ended.out
    with (
        servers.running(place.folder, announce=False) as running,
        jetstream.connect(running.credential("reader"), "tiny") as live,
    ):
        stored = list(live.read())
    archive = open_folder(place.folder.archive, "tiny")
    assert stored == list(archive.read()) == frames
    _, checks = verified(archive)
    assert overall(checks) == "held"
    assert sealed(frames)
    again = place.runs()
    assert (again.code, "closed (6 experiments completed" in again.out) == (0, True)
    assert place.frames() == frames


def test_ctrl_c_ends_a_campaign_cleanly_and_it_resumes_to_its_end(long: Place) -> None:
    run = long.starts().until(lambda: long.count("Completed") >= 2)
    run.interrupts()
    ended = run.ended()
    assert ended.code == 0, ended
    assert "stopped; everything is on the log" in ended.out
    assert "myriad run tiny resumes it" in ended.out
    long.all_gone()
    before = long.frames()
    assert sealed(before)
    assert len(facts(before, WorkerRetired)) == 2
    assert not facts(before, CampaignClosed)
    begun = {fact.pack for fact in facts(before, Started) if isinstance(fact, Started)}
    revoked = {fact.pack for fact in facts(before, LeaseRevoked) if isinstance(fact, LeaseRevoked)}
    assert not revoked & begun, "running packs are given time to end; one that came too late to begin is taken back"

    text = long.file.read_text()
    long.file.write_text(text.replace(f"experiments = {MANY}", f"experiments = {MANY + 1}"))
    refused = long.runs()
    assert refused.code == 1
    assert (
        f"opened with budget.experiments = {MANY}, and this file says {MANY + 1}: a campaign keeps its budget until"
        in refused.sentence
    )
    long.file.write_text(text)
    assert long.frames() == before

    resumed = long.runs()
    assert (resumed.code, f"closed ({MANY} experiments completed" in resumed.out) == (0, True), resumed
    after = long.frames()
    assert after[: len(before)] == before
    names = [fact.experiment for fact in facts(after, Completed) if isinstance(fact, Completed)]
    assert len(names) == len(set(names)) == MANY
    assert sealed(after)


def test_a_second_run_is_refused_in_a_sentence_and_the_first_goes_on_until_it_is_told_to_stop(endless: Place) -> None:
    first = endless.starts().until(lambda: endless.count("Completed") >= 1)
    second = endless.runs()
    assert second.code == 1
    assert f"campaign tiny is being run by process {first.pid}" in second.sentence
    completed = endless.count("Completed")
    first.until(lambda: endless.count("Completed") > completed)
    asked = endless.calls("stop", "tiny")
    assert asked.code == 0
    assert f"asked process {first.pid} to stop; myriad run tiny resumes it" in asked.out
    ended = first.ended()
    assert ended.code == 0, ended
    assert "stopped; " in ended.out
    assert sealed(endless.frames())
    endless.all_gone()
    idle = endless.calls("stop", "tiny")
    assert (idle.code, idle.err) == (1, "campaign tiny is not running on this machine\n")


def test_a_second_run_on_a_foreign_server_is_refused_and_told_who_runs_it_since_when(
    world: Folder, tmp_path: Path, places: list[Place], server: Running
) -> None:
    name, credential = f"far-{tmp_path.name}"[:40], str(server.folder.credentials / "owner.json")
    here, there = (tmp_path / part for part in ("here", "there"))
    many = ("experiments = 6", "experiments = 5000")
    places += [Place(home, world, many, ALONE, name=name) for home in (here, there)]
    first = places[0].starts("--connect", credential).until(lambda: places[0].count("Completed") >= 1)
    second = places[1].runs("--connect", credential)
    assert second.code == 1
    assert f"campaign {name} is being run by process {first.pid} on " in second.sentence
    assert "UTC: stop that one first" in second.sentence
    assert places[1].count("Completed") == 0
    completed = places[0].count("Completed")
    first.until(lambda: places[0].count("Completed") > completed)
    first.interrupts()
    assert first.ended().code == 0
    assert sealed(places[0].frames())
    places[0].all_gone()


def test_ctrl_c_twice_leaves_what_runs_and_gives_its_lease_back(
    world: Folder, tmp_path: Path, places: list[Place]
) -> None:
    slow = (("epochs = [5]", "epochs = [30]"), ("width = 16", "width = 256"), ("length = [8, 12]", "length = [32]"))
    place = Place(tmp_path, world, *slow)
    places.append(place)
    run = place.starts().until(lambda: place.count("Started") >= 2)
    run.interrupts()
    run.until(lambda: "stopping after what runs" in run.said())
    run.interrupts()
    ended = run.ended()
    assert ended.code == 0, ended
    place.all_gone()
    frames = place.frames()
    revoked = facts(frames, LeaseRevoked)
    assert {fact.reason for fact in revoked if isinstance(fact, LeaseRevoked)} == {"retired"}
    assert sealed(frames)


def test_ctrl_c_while_clips_are_made_ends_at_once_and_leaves_no_process(tmp_path: Path, places: list[Place]) -> None:
    place = Place(tmp_path, None, ("clips = 72", "clips = 5000"))
    places.append(place)
    run = place.starts()
    run.until(lambda: any((place.folder.path / "clips").glob("*/*.mp4")))
    run.interrupts()
    ended = run.ended()
    assert ended.code == 0, ended
    assert "myriad run tiny resumes it" in ended.out
    place.all_gone()
    assert len(place.frames()) == 1


@pytest.mark.prove
def test_a_stop_while_the_controls_are_made_is_no_end_and_the_next_run_measures_them_and_seals(
    world: Folder, tmp_path: Path, places: list[Place]
) -> None:
    # the controls must take longer than the ten seconds that a stop waits for what is under way
    slow = (("epochs = [5]", "epochs = [30]"), ("width = 16", "width = 384"), ("length = [8, 12]", "length = [32]"))
    changes = (*slow, ("experiments = 6", "experiments = 1"), ("controls = false", "controls = true"))
    place = Place(tmp_path, world, *changes)
    places.append(place)
    run = place.starts().until(lambda: place.count("CampaignClosed") and place.wrote()[-1]["role"] == "analyst")
    run.interrupts()
    run.interrupts()
    stopped = run.ended()
    assert "stopped; everything is on the log" in stopped.out, stopped
    place.all_gone()
    assert sealed(place.frames())
    assert not facts(place.frames(), ControlMeasured)
    ended = place.runs()
    assert (ended.code, "closed (1 experiments completed" in ended.out) == (0, True), ended
    frames = place.frames()
    assert len(facts(frames, ControlMeasured)) == 2
    assert sealed(frames)
    again = place.runs()
    assert (again.code, place.frames() == frames) == (0, True)


def test_a_leader_is_repeated_by_the_campaign_itself_though_it_is_killed_over_it(
    tmp_path: Path, world: Folder, places: list[Place]
) -> None:
    place = Place(tmp_path, world, ("repeats = 0", "repeats = 2"), ALONE)
    places.append(place)
    run = place.starts().until(lambda: place.count("RepeatsBegun"))
    run.kills("everything")
    run.ended()
    place.all_gone()
    ended = place.runs()
    assert ended.code == 0, ended
    place.all_gone()
    frames = place.frames()
    assert sealed(frames)
    repeated = [fact for fact in facts(frames, SeedsRepeated) if isinstance(fact, SeedsRepeated)]
    assert len({seed for fact in repeated for seed in fact.seeds}) >= 2
    assert "champion e-" in ended.out
    assert audit(place.log()).verdict == "held"
