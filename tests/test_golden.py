"""Released logs stay readable for ever: one golden archive a vocabulary, each with the digest that it must keep.

`vocabulary-1.myriad` is a recorded demo campaign from before `Queued` said its priority in terms instead of words; its
seals were made under the digest scheme of then, so they can be read and not compared. `vocabulary-2.myriad` is one in
today's words, with five encoders; its seals are held.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from events.archives import archive
from events.log import Frame
from events.memory import MemoryLog
from replay.measures import Measurement
from replay.seals import overall, verified

GOLDEN = Path(__file__).parent / "golden"

DIGESTS = {
    "vocabulary-1": "m3:62d1f944f7f8eb78e3e78e9dd551c7f9cd690df98ea53743cc4c826d1747b982",
    "vocabulary-2": "m3:d4db54612e0e4dcd210c2aad9e44f00039f6934b8429c93644f7888b4908754b",
}


def measured(log: archive.ArchiveLog | MemoryLog) -> Measurement:
    measurement = Measurement()
    measurement.advance(log.read())
    return measurement


def rewritten(log: archive.ArchiveLog) -> MemoryLog:
    """Return the log as today's vocabulary would have written it."""
    today = MemoryLog(log.campaign)
    for recorded in log.read():
        today.append(Frame(recorded.subject, recorded.id, recorded.facts))
    return today


def test_every_golden_archive_has_its_digest_here() -> None:
    assert {path.stem for path in GOLDEN.glob("*.myriad")} == {*DIGESTS}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_golden_archive_keeps_its_digest(name: str) -> None:
    assert measured(archive.open_file(GOLDEN / f"{name}.myriad")).digest() == DIGESTS[name]


@pytest.mark.parametrize("name", DIGESTS)
def test_an_old_log_and_the_same_log_in_today_s_words_have_one_digest(name: str) -> None:
    old = archive.open_file(GOLDEN / f"{name}.myriad")
    assert measured(rewritten(old)).digest() == measured(old).digest()


def within(old: Any, new: Any) -> bool:
    """Whether everything that was said before is said still; what has come since has its default."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(key in new and within(value, new[key]) for key, value in old.items())
    if isinstance(old, list):
        return len(old) == len(new) and all(map(within, old, new))
    return bool(old == new)


def test_the_first_vocabulary_said_the_priority_of_a_queued_experiment_in_words_and_all_else_as_today() -> None:
    old = archive.open_file(GOLDEN / "vocabulary-1.myriad")
    pairs = [
        (json.loads(r.payload), json.loads(now.payload))
        for r, now in zip(old.read(), rewritten(old).read(), strict=True)
    ]
    changed = [a for before, after in pairs for a, b in zip(before, after, strict=True) if not within(a, b)]
    assert changed
    assert {fact["type"] for fact in changed} == {"Queued"}


def test_seals_of_a_forgotten_digest_scheme_are_unknown_never_broken() -> None:
    _, checks = verified(archive.open_file(GOLDEN / "vocabulary-1.myriad"))
    assert checks
    assert overall(checks) == "unknown"


def test_seals_of_the_digest_scheme_before_today_s_are_held_against_it() -> None:
    _, checks = verified(archive.open_file(GOLDEN / "vocabulary-2.myriad"))
    assert {check.recorded[:3] for check in checks} == {check.recomputed[:3] for check in checks} == {"m2:"}
    assert [check.verdict for check in checks] == ["held"] * len(checks)
    assert overall(checks) == "held"
