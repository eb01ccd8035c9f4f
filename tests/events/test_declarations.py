"""What a person may declare: refused where the log does not allow it, written where it does, running or not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import myriad
from events import campaigns, conditions, declarations, doors, facts, listing, predicates, subjects
from events.archives import importing
from events.archives.settling import is_settled
from events.declarations import Declaration, Refused, declare
from events.envelope import Position
from events.errors import LogError
from events.knowing import Known
from events.log import Frame
from events.predicates import PredicateInvalid
from events.spaces import over
from events.wire import server
from events.writable import writable
from tests.chronicle import INSTRUMENT, Chronicle

GOLDEN = Path(__file__).parents[1] / "golden" / "vocabulary-2.myriad"


@pytest.fixture
def tale() -> Chronicle:
    """Two experiments, of which e-1 is completed and e-2 waits."""
    c = Chronicle()
    c.opened()
    c.runs(c.queues(c.proposes("tpe")))
    c.queues(c.proposes("tpe", backbone="motion"))
    return c


@pytest.mark.parametrize(
    ("declaration", "written"),
    [
        (declarations.pause("lunch"), facts.CampaignPaused(reason="lunch")),
        (
            declarations.boost("e-2", by=0.5, reason="a hunch"),
            facts.Boosted(experiment="e-2", by=0.5, reason="a hunch"),
        ),
        (declarations.cancel("e-2"), facts.Cancelled(experiment="e-2", reason="")),
        (
            declarations.ban(where="pooling==last", cycles=3, reason="padding"),
            facts.Banned(ban="b-1", where="pooling == last", cycles=3, reason="padding"),
        ),
        (
            declarations.defect(
                component="pooling", where="era==1 and pooling==mean", since=2, reason="it reads padding"
            ),
            facts.DefectFound(
                defect="d-1",
                component="pooling",
                where="era == 1 and pooling == mean",
                since=2,
                reason="it reads padding",
                by="a person",
            ),
        ),
    ],
)
def test_what_a_person_says_is_one_fact_with_a_fresh_author(
    tale: Chronicle, declaration: Declaration, written: facts.Fact
) -> None:
    through = tale.log.last()
    said = declare(tale.log, declaration)
    (recorded,) = tale.log.read(through)
    (fact,) = recorded.facts
    assert (said.position, said.fact) == (Position(through + 1), fact)
    assert recorded.author == said.author != "person-test"
    assert fact.through == through
    bare = {name: getattr(fact, name) for name in fact.__struct_fields__ if name not in ("at", "cause", "through")}
    assert all(getattr(written, name) == value for name, value in bare.items())


@pytest.mark.parametrize(
    ("declaration", "reason"),
    [
        (declarations.boost("e-3"), "no experiment e-3; did you mean e-"),
        (declarations.boost("e-1"), "e-1 is completed: only what waits can be boosted"),
        (declarations.cancel("e-1"), "nothing left of it to cancel"),
        (declarations.resume(), "is not paused"),
        (declarations.reopen(), "is open"),
        (declarations.lift("b-1"), "no ban in force b-1, and no other"),
        (declarations.ban(where="pooling == last", cycles=0), "at least one cycle"),
        (declarations.defect(component="x", where="everything", since=999), "positions 1 to"),
        (declarations.fixed("d-1", instrument=INSTRUMENT), "no defect d-1"),
    ],
)
def test_what_the_log_does_not_allow_is_refused_and_nothing_is_written(
    tale: Chronicle, declaration: Declaration, reason: str
) -> None:
    through = tale.log.last()
    with pytest.raises(Refused, match=reason):
        declare(tale.log, declaration)
    assert tale.log.last() == through


def test_a_typo_in_a_predicate_writes_nothing(tale: Chronicle) -> None:
    through = tale.log.last()
    with pytest.raises(PredicateInvalid, match="did you mean pooling"):
        declare(tale.log, declarations.ban(where="pooing == last"))
    assert tale.log.last() == through


def test_pauses_bans_defects_and_closings_end_once(tale: Chronicle) -> None:
    declare(tale.log, declarations.pause())
    with pytest.raises(Refused, match="paused already"):
        declare(tale.log, declarations.pause())
    declare(tale.log, declarations.resume())
    declare(tale.log, declarations.ban(where="pooling == last"))
    with pytest.raises(Refused, match="banned already, as b-1"):
        declare(tale.log, declarations.ban(where="'pooling' == last".replace("'", "")))
    lifted = declare(tale.log, declarations.lift("b-1"))
    assert lifted.fact.cause is not None
    with pytest.raises(Refused, match="lifted already"):
        declare(tale.log, declarations.lift("b-1"))
    assert declare(tale.log, declarations.ban(where="pooling == last")).fact.ban == "b-2"  # type: ignore[attr-defined]
    declare(tale.log, declarations.defect(component="pooling", where="everything"))
    with pytest.raises(Refused, match=f"instruments: {INSTRUMENT}"):
        declare(tale.log, declarations.fixed("d-1", instrument="other"))
    declare(tale.log, declarations.fixed("d-1", instrument=INSTRUMENT[:5]))
    with pytest.raises(Refused, match="fixed already"):
        declare(tale.log, declarations.fixed("d-1", instrument=INSTRUMENT))
    tale.closes()
    with pytest.raises(Refused, match="reopen it first"):
        declare(tale.log, declarations.pause())
    declare(tale.log, declarations.reopen("one more hour"))
    declare(tale.log, declarations.pause())


def test_a_name_that_somebody_else_took_first_is_not_taken_again(tale: Chronicle) -> None:
    rival = facts.Banned(ban="b-1", where="pooling == max", reason="first")

    def decide(known: Known) -> declarations.Act:
        act = declarations.ban(where="pooling == last")(known)
        if not known.banned:
            tale.log.append(Frame(subjects.subject("tale", "campaign", "x", "person-b"), "person-b:1", (rival,)))
        return act

    assert declare(tale.log, decide).fact.ban == "b-2"  # type: ignore[attr-defined]


def test_a_campaign_that_nobody_runs_is_declared_to_and_left_whole(tmp_path: Path) -> None:
    folder = importing.import_campaign(GOLDEN, tmp_path)
    with writable("demo", tmp_path) as log:
        said = declare(log, declarations.defect(component="split", where="everything"))
    assert is_settled(folder)
    log = campaigns.open("demo", tmp_path)
    assert next(iter(log.read(said.position.sequence - 1))).facts == (said.fact,)
    log.close()


def test_a_campaign_that_runs_is_declared_to_through_its_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = importing.import_campaign(GOLDEN, tmp_path)
    monkeypatch.setenv("MYRIAD_HOME", str(tmp_path))
    with server.running(folder):
        assert myriad.app()(["declare", "demo", "reopen", "--reason", "more"]) == 0
        assert myriad.app()(["declare", "pause", "demo"]) == 0
        assert myriad.app()(["declare", "demo", "pause"]) == 1
        assert myriad.app()(["declare", "nowhere", "pause"]) == 2
    printed = capsys.readouterr()
    assert "CampaignReopened: reason more" in printed.out
    assert "CampaignPaused" in printed.out
    assert "paused already" in printed.err
    assert "no campaign nowhere" in printed.err


def test_the_help_tells_every_name_and_operator_of_the_predicates() -> None:
    told = doors.PREDICATES.replace("\n", " ")
    assert all(f" {name}" in told for name in predicates.RUN_FIELDS)
    assert all(f" {sign}" in told for sign in get_args(conditions.Operator))
    names = predicates.runs(over(("video", "motion"), ("retnet",)))
    for example in re.findall("`([^`]+)`", doors.PREDICATES):
        assert predicates.parse(example, names)


def test_a_campaign_that_was_reopened_is_listed_as_open(tmp_path: Path) -> None:
    folder = importing.import_campaign(GOLDEN, tmp_path)
    assert [listing.row(place).state for place in campaigns.listing(tmp_path)] == ["closed"]
    with writable(folder.path) as log:
        declare(log, declarations.reopen())
    assert [listing.row(place).state for place in campaigns.listing(tmp_path)] == ["open"]


def test_a_portable_file_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="myriad import it"), writable(GOLDEN):
        pass
