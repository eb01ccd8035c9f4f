"""Small campaigns under seeded faults: no law is broken, none is vacuous, and what is broken on purpose is caught."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import actors.chaos.nemesis
from actors.chaos import auditor, books
from actors.chaos.endurance import endure, seeds_of, vacuous
from actors.chaos.faults import KINDS, MOST, Fault, Script, read, script, shrunk, written
from actors.chaos.nemesis import Nemesis
from actors.chaos.ordeals import Auditor, Ordeal, by_the_house, ordeal, reproduced
from actors.chaos.troupe import Parts
from actors.errors import CampaignError
from actors.fixer import Fixer
from events.log import LogReader, Recorded
from tests.faults.simulated.mutants import MUTANTS

FEW = range(1, 151)
MANY = range(1, 10_001)

FAR = range(1, 2001)
"""Seeds among which every planted mistake shows; the rarest needs a lease to expire as its run ends."""

RARE = (41, 148, 175, 227, 350, 652)
"""Seeds that are tried first, because they have shown the rarest mistakes; after them all are."""

PLAIN = (2, 5, 41)
"""Seeds under which many planted mistakes show."""

FOUND: dict[str, tuple[str, int, Script]] = {
    "a pen numbered its next frame wrongly after a frame had come twice": (
        "a pen that counts a frame twice",
        16,
        (Fault(69, "frame_delivered_twice", 852522),),
    ),
    "a role folded a frame before the one that it follows, and never the other": (
        "a pen that counts a frame twice",
        5,
        (Fault(19, "frame_delivered_late", 322250),),
    ),
    "an agent whose clock had gone back rested until it caught up": (
        "an agent that waits for its clock",
        227,
        (Fault(61, "clock_jumped", 442309),),
    ),
    "a machine that failed refused what another one of its kind had verified, and trained by then": (
        "a worker that refuses what another verified",
        652,
        (),
    ),
    "the scheduler ended a ban that a person had lifted since it had read of it": (
        "a scheduler that lifts what is lifted",
        350,
        (
            Fault(11, "role_killed", 512051),
            Fault(71, "stopped_and_resumed", 419754),
            Fault(146, "worker_killed", 799952),
        ),
    ),
}
"""What was found in the roles this way: the mutant that does as they did, the seed and the script that showed it."""


def held(seeds: Iterable[int]) -> None:
    """No seed breaks a law; every fault strikes, every law is tried."""
    struck: Counter[str] = Counter()
    laws: Counter[str] = Counter()
    failed: list[Ordeal] = []
    for seed in seeds:
        one = ordeal(seed)
        struck.update(one.struck)
        laws.update(one.laws)
        if one.problems:
            failed.append(one)
    assert [(one.seed, one.problems[:2]) for one in failed] == []
    assert vacuous(struck, laws) == []
    assert min(laws.values()) > 10, laws


def test_no_law_is_broken_and_none_is_vacuous_over_hundreds_of_seeds() -> None:
    held(FEW)


@pytest.mark.prove
def test_no_law_is_broken_over_ten_thousand_seeds() -> None:
    held(MANY)


@pytest.mark.parametrize("found", FOUND)
def test_a_seed_that_once_failed_holds_and_fails_with_the_old_part(found: str) -> None:
    old, seed, faults = FOUND[found]
    assert ordeal(seed, faults).problems == []
    assert ordeal(seed, faults, parts=MUTANTS[old]).problems


def first_failure(parts: Parts) -> Ordeal:
    """The first seed that a mutant does not survive."""
    for seed in (*RARE, *FAR):
        one = ordeal(seed, parts=parts)
        if one.problems:
            return one
    raise AssertionError("nobody noticed")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who still talks after half again as many turns as any sound campaign here takes is not coming to an end."""
    monkeypatch.setattr(actors.chaos.nemesis, "LAST", 1500)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_mistake_is_caught_and_shrunk_to_at_most_five_faults_that_fail_on_their_own(name: str) -> None:
    failed = first_failure(MUTANTS[name])
    fewest = reproduced(failed, parts=MUTANTS[name])
    assert len(fewest) <= 5
    assert set(fewest) <= set(failed.faults)
    assert ordeal(failed.seed, fewest, parts=MUTANTS[name]).problems
    assert not ordeal(failed.seed, fewest).problems


def test_a_seed_alone_is_the_same_to_the_byte_under_any_hash_seed() -> None:
    code = (
        "from hashlib import sha256; from actors.chaos.nemesis import Nemesis; from actors.chaos.faults import script\n"
        "whole = sha256()\n"
        "for seed in range(20, 32):\n"
        "    n = Nemesis(seed, script(seed)); n.play()\n"
        "    [whole.update(r.payload + r.id.encode()) for r in n.wire.read()]\n"
        "print(hash('x'), whole.hexdigest())"
    )
    said = []
    for hashes in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hashes}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, cwd=HOUSE
        )
        said.append(done.stdout.split())
    assert said[0][0] != said[1][0]
    assert said[0][1] == said[1][1] == played(range(20, 32))


HOUSE = Path(__file__).resolve().parents[3]


def played(seeds: Iterable[int]) -> str:
    whole = sha256()
    for seed in seeds:
        nemesis = Nemesis(seed, script(seed))
        nemesis.play()
        for recorded in nemesis.wire.read():
            whole.update(recorded.payload + recorded.id.encode())
    return whole.hexdigest()


def test_scripts_have_every_kind_of_fault_and_some_have_none() -> None:
    scripts = [script(seed) for seed in FEW]
    assert {fault.kind for faults in scripts for fault in faults} == {*KINDS}
    assert min(map(len, scripts)) == 0
    assert max(map(len, scripts)) == MOST


def test_shrinking_leaves_only_what_is_needed() -> None:
    faults = tuple(Fault(turn, "disk_full", 0) for turn in range(8))
    assert shrunk(faults, lambda fewer: {2, 5} <= {fault.turn for fault in fewer}) == (faults[2], faults[5])
    assert shrunk(faults, lambda fewer: True) == ()


def test_a_role_that_raises_is_a_finding() -> None:
    class Broken(Fixer):
        def decide(self, *_: object) -> Any:
            raise ZeroDivisionError("no")

    assert any("ZeroDivisionError" in problem for problem in ordeal(1, (), parts=Parts(fixer=Broken)).problems)


def test_a_campaign_that_never_ends_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors.chaos.nemesis, "LAST", 20)
    assert "it still talked after 20 turns" in ordeal(1, ()).problems


def test_the_door_counts_every_fault_and_says_that_it_is_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    assert endure("1-30") == 0
    out = capsys.readouterr().out
    assert "SIMULATED: 30 campaigns" in out
    assert "two schedulers" in out
    assert "no law was vacuous: each of 84 was put to the test; all 16 faults struck" in out
    assert out.splitlines()[-1] == "0 failed"


def test_a_law_that_nothing_tries_and_a_fault_that_strikes_nobody_are_named_and_fail_where_they_were_to_be_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Nemesis, "_let_two_schedulers", lambda *_: None)
    monkeypatch.setattr(auditor.Books, "_diagnosismade", lambda *_: None)
    known = cache(ordeal)
    monkeypatch.setattr("actors.chaos.ordeals.ordeal", known)
    assert endure("1-30") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "vacuous, for nothing put it to the test: a failure is repaired once; only what failed is repaired" in out
    assert "never struck: two schedulers" in out
    assert "no verdict on that: 150 seeds" in out
    assert "no law was vacuous" not in out
    monkeypatch.setattr("actors.chaos.endurance.ENOUGH", 30)
    assert endure("1-30") == 1
    assert "no verdict" not in capsys.readouterr().out
    # a script of somebody's own need not strike with everything
    monkeypatch.setattr("actors.chaos.endurance.ENOUGH", 3)
    assert endure("1-3", "") == 0


def test_the_second_auditor_knows_all_of_its_rules_before_the_first_of_them_is_tried() -> None:
    pages = Path(auditor.__file__).read_text() + Path(books.__file__).read_text()
    written_down = re.findall(r'\.rule\(\s*"([^"]+)"', pages)
    assert {*written_down} == {*auditor.RULES} == {*auditor.audited([])[1]}


def test_a_failing_seed_is_told_with_a_script_that_fails_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("actors.chaos.nemesis.Parts", lambda: MUTANTS["a pen that counts a frame twice"])
    assert endure("16") == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "fails under 1 of its" in told
    fault = FOUND["a pen numbered its next frame wrongly after a frame had come twice"][2]
    assert f'myriad simulate --faults --seeds 16 --script "{written(fault)}"' in told
    assert endure("16", written(fault)) == 1
    assert endure("16", "") == 0


@pytest.mark.parametrize("words", ["x", "1:disk_full", "1:full:2", "-1:disk_full:2"])
def test_a_script_that_is_none_is_refused_in_one_sentence(words: str) -> None:
    with pytest.raises(CampaignError, match="--script"):
        endure("1", words)


def test_a_script_is_read_back_as_it_was_written() -> None:
    assert [read(written(script(seed))) for seed in FEW] == [script(seed) for seed in FEW]


def test_the_second_auditor_imports_nothing_of_ours_and_no_role_imports_it() -> None:
    chaos = HOUSE / "actors" / "chaos"
    assert imported(chaos / "books.py") <= sys.stdlib_module_names
    assert imported(chaos / "auditor.py") - {"actors.chaos", "actors.chaos.books"} <= sys.stdlib_module_names
    using = [path.name for path in (HOUSE / "actors").rglob("*.py") if "import auditor" in path.read_text()]
    assert using == ["ordeals.py"]
    reading = [path.name for path in (HOUSE / "actors").rglob("*.py") if "chaos.books" in path.read_text()]
    assert reading == ["auditor.py"]


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name if name.startswith("actors") else name.split(".")[0] for name in names}


@pytest.mark.usefixtures("hurried")
def test_each_auditor_alone_finds_planted_mistakes_that_the_other_need_not_see() -> None:
    judges: dict[str, Auditor] = {"second": lambda log: auditor.audited(log.read()), "house": by_the_house}
    found: dict[str, set[str]] = {judge: set() for judge in judges}
    for name, parts in MUTANTS.items():
        for log in worlds(parts):
            for judge, judged in judges.items():
                found[judge] |= {name} if judged(log)[0] else set()
    assert len(found["second"]) >= 6, found
    assert len(found["house"]) >= 6, found


def worlds(parts: Parts) -> Iterator[LogReader]:
    for seed in PLAIN:
        nemesis = Nemesis(seed, script(seed), parts)
        with contextlib.suppress(Exception):
            nemesis.play()
        yield nemesis.wire


def test_device_seconds_that_the_analyst_counts_otherwise_are_a_breach() -> None:
    nemesis = Nemesis(1, ())
    nemesis.play()
    books, lines = auditor.audited(nemesis.wire.read()), list(nemesis.wire.read())
    assert books[0] == []
    assert books[1]["device seconds are conserved"] > 0
    forged = [
        Recorded(r.sequence, r.subject, r.id, re.sub(rb'"gpu_seconds":[0-9]', b'"gpu_seconds":9', r.payload))
        if r.author == "analyst"
        else r
        for r in lines
    ]
    assert any("conserved" in problem for problem in auditor.audited(forged)[0])


@pytest.mark.parametrize("words", ["", "x", "5-2", "1-2-3"])
def test_seeds_that_are_none_are_refused_in_one_sentence(words: str) -> None:
    with pytest.raises(CampaignError, match="--seeds"):
        seeds_of(words)
