"""kill -9 of any process at any moment: nothing acknowledged is lost, nothing completes twice, nobody stays behind."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from actors.chaos.auditor import audited
from events.archives.archive import open_folder
from events.facts import CampaignClosed, Completed, LogSealed
from events.folder import Campaign as Folder
from events.log import Recorded
from events.wire import jetstream
from events.wire import server as servers
from replay.folds import run as folded
from replay.ledger import LedgerFold
from replay.measures import Measurement
from replay.seals import overall, verified
from tests.faults.runs import MANY, Place, Running

TRIED = ("nothing completes twice", "every attempt ends once", "device seconds are conserved")
"""Rules of the second auditor that a real campaign must have put to the test."""

VICTIMS = ("runner", "server", "bench", "everything")


def strike(place: Place, run: Running, victim: str, draw: Random) -> None:
    """Kill at a moment that is a number of acknowledged frames away, and see that nobody of the run stays."""
    target = place.acknowledged() + draw.randint(1, 30)
    run.until(lambda: place.acknowledged() >= target or not run.alive)
    run.kills(victim)


def survived(place: Place, before: list[Recorded]) -> list[Recorded]:
    """The frames that are there now; every one that was there before, and every acknowledged one, is among them."""
    acknowledged = place.acknowledged()
    frames = place.frames()
    assert frames[: len(before)] == before
    assert len(frames) >= acknowledged
    return frames


def finished(place: Place, before: list[Recorded], experiments: int) -> None:
    """Run to the end without harm, and hold the whole log against what was promised."""
    ended = place.runs()
    assert ended.code == 0, ended
    place.all_gone()
    frames = survived(place, before)
    completed = [fact.experiment for r in frames for fact in r.facts if isinstance(fact, Completed)]
    assert len(completed) == len(set(completed)) == experiments
    assert sum(isinstance(fact, CampaignClosed) for r in frames for fact in r.facts) == 1
    assert len({recorded.id for recorded in frames}) == len(frames)
    breaches, rules = audited(frames)
    assert breaches == []
    assert min(rules[rule] for rule in TRIED) > 0
    archive = open_folder(place.folder.archive, "tiny")
    (ledger,) = folded(archive, LedgerFold())
    assert ledger.void == []
    _, checks = verified(archive)
    assert overall(checks) == "held"
    assert all(check.verdict == "held" for check in checks)
    measurement = Measurement()
    with (
        servers.running(place.folder, announce=False) as running,
        jetstream.connect(running.credential("reader"), "tiny") as live,
    ):
        measurement.advance(live.read())
    seal = frames[-1].facts[-1]
    assert isinstance(seal, LogSealed)
    assert seal.digest == measurement.digest()


def beaten(place: Place, rounds: int, seed: int) -> list[Recorded]:
    """Start, strike, look, and again; victims in turn, moments drawn."""
    draw, frames = Random(seed), list[Recorded]()
    for number in range(rounds):
        victim = VICTIMS[number % len(VICTIMS)]
        run = place.starts()
        strike(place, run, victim, draw)
        if victim == "bench" and run.alive:
            # A run outlives its bench: it is the next blow that ends it.
            strike(place, run, "runner", draw)
        ended = run.ended()
        if victim == "server" and ended.code > 0:
            assert ended.sentence
        place.all_gone()
        frames = survived(place, frames)
    return frames


def test_whoever_is_killed_the_campaign_goes_on_where_its_log_stands(long: Place) -> None:
    finished(long, beaten(long, 3, seed=1), MANY)


@pytest.mark.prove
@pytest.mark.parametrize("seed", [2, 3])
def test_twenty_kills_at_any_moment_cost_nothing_that_was_acknowledged(
    world: Folder, tmp_path: Path, places: list[Place], seed: int
) -> None:
    place = Place(tmp_path, world, ("experiments = 6", "experiments = 300"))
    places.append(place)
    finished(place, beaten(place, 20, seed=seed), 300)


def test_a_killed_bench_costs_its_campaign_one_attempt(long: Place) -> None:
    run = long.starts().until(lambda: long.count("Completed") >= 2)
    run.kills("bench")
    ended = run.ended()
    assert ended.code == 0, ended
    assert long.count("Completed") == MANY
    long.all_gone()


def test_a_killed_server_ends_the_run_with_one_sentence(endless: Place) -> None:
    run = endless.starts().until(lambda: endless.count("Completed") >= 1)
    run.kills("server")
    ended = run.ended()
    assert ended.code == 1
    assert "broke: what was pending is unknown" in ended.sentence
    endless.all_gone()


@pytest.mark.parametrize("victims", [("runner",), ("runner", "bench"), ("bench",), ("everything",)])
def test_whoever_dies_while_clips_are_made_no_helper_is_left_and_the_next_run_goes_on(
    tmp_path: Path, places: list[Place], victims: tuple[str, ...]
) -> None:
    place = Place(tmp_path, None, ("clips = 72", "clips = 4000"))
    places.append(place)
    clips = place.folder.path / "clips"
    run = place.starts().until(lambda: any(clips.glob("*/*.mp4")))
    doomed = [pid for victim in victims for pid in run.pids(victim)]
    run.kills_all(doomed)
    ended = run.ended()
    place.all_gone()
    if victims == ("bench",):
        assert ended.code == 1
        assert "clips and features could not be made: the bench ended with status -9" in ended.sentence
    assert len(place.frames()) == 1
