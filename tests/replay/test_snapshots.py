import importlib
import pkgutil
import random

import msgspec
import pytest

import replay
from events import facts, sources
from events.archives import archive
from events.archives.fingerprint import fingerprint
from events.envelope import Position
from events.facts import Completed, Curves
from events.log import Recorded
from events.memory import MemoryLog
from events.shelf import Shelf
from replay.errors import HistoryBroken
from replay.folds import Fold, Pass
from replay.measures import MEASURES, Measurement
from replay.moments import preserved
from replay.moments.keeping import keeper_of
from replay.moments.preserved import SnapshotRefused, preserve, resume, state_of
from replay.moments.snapshots import Timeline
from tests.benchmarks.replay import synthetic
from tests.replay import tales
from tests.replay.shifting import Shifting


def folds_of_the_room():
    """The measures first, then every other fold that any module of replay defines."""
    modules = [importlib.import_module(f"replay.{module.name}") for module in pkgutil.iter_modules(replay.__path__)]
    kinds = [kind for module in modules for kind in vars(module).values() if hasattr(kind, "handlers")]
    measured = [type(fold) for fold in MEASURES]
    others = {kind: None for kind in kinds if isinstance(kind, type) and kind not in (Fold, *measured)}
    return (*MEASURES, *(kind() for kind in others))


FOLDS: tuple[Fold, ...] = folds_of_the_room()


def test_every_fold_that_the_screen_and_the_measures_use_is_among_them():
    names = {type(fold).__name__ for fold in FOLDS}
    assert {"SearchFold", "CyclesFold", "RepairsFold", "FleetFold", "ControlsFold", "MilestonesFold"} <= names


def bytes_of(passing):
    return [msgspec.msgpack.encode(state) for state in passing.states]


def whole(log, through):
    passing = Pass(*FOLDS)
    passing.advance(frame for frame in log.read() if frame.sequence <= through)
    return passing


def test_a_journey_to_any_position_ends_where_folding_from_the_start_does():
    log = tales.busy(30).log
    timeline = Timeline(log, *FOLDS, every=16, marks=8)
    timeline.catch_up()
    positions = [0, 1, log.last(), *random.Random(1).sample(range(2, log.last()), 10)]
    for position in positions:
        there, again = timeline.at(position), whole(log, position)
        assert there.through == again.through == position
        assert bytes_of(there) == bytes_of(again)
        assert there.states == again.states


def shifted():
    """A log with all that happens to a search beside runs: eras, a defect and its fix, a rerun, what a person does."""
    c = Shifting("broken")
    c.verified()
    c.era(1)
    first = c.done(0.9, pooling="last")
    c.says("person-test", "campaign", "act", facts.Boosted(experiment=first, by=0.5, reason="soon"))
    c.says("person-test", "campaign", "act", facts.Banned(ban="b-1", where="pooling == max", reason="slow", cycles=2))
    c.defect("pooling == last")
    c.instrument = "mended"
    c.verified(split="cccc")
    c.era(2)
    c.fix()
    c.again(first, 0.6)
    c.says("person-test", "campaign", "act", facts.CampaignPaused(reason="lunch"))
    c.says("person-test", "campaign", "act", facts.CampaignResumed(reason="coffee"))
    waiting = c.queues(c.proposes("uniform"))
    c.says("person-test", "campaign", "act", facts.Cancelled(experiment=waiting, reason="never"))
    c.says("person-test", "campaign", "act", facts.BanLifted(ban="b-1", reason="done"))
    c.done(0.8, pooling="mean")
    return c.log


def test_eras_defects_and_what_a_person_does_are_the_same_at_every_position_however_it_is_reached():
    log = shifted()
    timeline, end = Timeline(log, *FOLDS, every=4, marks=64), whole(log, log.last())
    timeline.catch_up()
    for position in range(log.last() + 1):
        straight = whole(log, position)
        assert bytes_of(timeline.at(position)) == bytes_of(straight)
        resumed = resume(preserve(straight, log), log, *FOLDS)
        resumed.advance(log.read(position))
        assert bytes_of(resumed) == bytes_of(end)


def test_what_is_folded_on_from_a_mark_changes_no_other_journey():
    log = tales.busy(30).log
    timeline = Timeline(log, *FOLDS, every=40, marks=8)
    timeline.catch_up()
    start = timeline.marks[1]
    before = bytes_of(timeline.at(start))
    further = timeline.at(start)
    further.advance(log.read(start))
    assert bytes_of(further) == bytes_of(timeline.head)
    assert bytes_of(timeline.at(start)) == before


def test_a_pass_that_stands_nearer_than_any_mark_goes_on_itself():
    log = tales.busy(30).log
    timeline = Timeline(log, *FOLDS, every=60, marks=8)
    timeline.catch_up()
    here = timeline.at(timeline.marks[1] + 3)
    assert timeline.at(here.through + 5, here=here) is here
    assert bytes_of(here) == bytes_of(whole(log, here.through))
    back = timeline.at(here.through - 4, here=here)
    assert back is not here
    beyond = timeline.at(timeline.marks[-1] + 1, here=here)
    assert beyond is not here
    assert bytes_of(beyond) == bytes_of(whole(log, beyond.through))


def test_a_timeline_follows_a_log_that_grows():
    c = tales.busy(8)
    timeline = Timeline(c.log, *FOLDS, every=16, marks=4)
    timeline.catch_up()
    known = c.log.last()
    assert timeline.at(10_000).through == known
    c.runs(c.queues(c.proposes("tpe")), validation=0.99)
    assert timeline.at(10_000).through == c.log.last() > known
    timeline.advance(c.log.read())
    assert timeline.through == c.log.last()


def test_the_number_of_marks_stays_bounded_and_they_stay_spread():
    log = tales.busy(40).log
    timeline = Timeline(log, *FOLDS, every=1, marks=6)
    for frame in log.read():
        timeline.advance((frame,))
    assert 3 <= len(timeline.marks) <= 6
    gaps = [b - a for a, b in zip((0, *timeline.marks), (*timeline.marks, log.last()), strict=True)]
    assert max(gaps) <= log.last() / 2
    position = log.last() // 3
    assert bytes_of(timeline.at(position)) == bytes_of(whole(log, position))


def test_a_broken_frame_leaves_the_positions_before_it_reachable():
    c = tales.busy(10)
    sound = c.log.last()
    timeline = Timeline(c.log, *FOLDS, every=16)
    stray = Completed(
        experiment="e-none",
        attempt=1,
        validation=0.5,
        test=0.5,
        noise=0.0,
        epoch=1,
        curves=Curves((0.5,), (0.5,)),
        gpu_seconds=1.0,
        peak_memory=1,
    )
    c.says("worker-cpu0-a", "pack", "p-1", stray)
    with pytest.raises(HistoryBroken):
        timeline.catch_up()
    assert timeline.at(sound).through == sound
    with pytest.raises(HistoryBroken):
        timeline.at(sound + 1)


def test_marks_share_what_did_not_change_between_them():
    c = tales.busy(20)
    passing = Pass(*MEASURES)
    passing.advance(c.log.read())
    ledger, keeper = passing.states[0].ledger, keeper_of(state_of(MEASURES[0]))
    first = keeper.keep(passing.states[0], None)
    assert keeper.keep(passing.states[0], first) is first
    c.declines(c.proposes("tpe"))
    passing.advance(c.log.read())
    second = keeper.keep(passing.states[0], first)
    old, new = first.ledger.ideas.values(), second.ledger.ideas.values()
    assert all(one is other for one, other in zip(old, new, strict=False))
    assert (len(old), len(new)) == (len(ledger.ideas) - 1, len(ledger.ideas))
    assert second.ledger.experiments is first.ledger.experiments


def test_what_states_share_with_facts_is_never_changed_by_a_fold():
    log = tales.busy(30).log
    passing = Pass(*FOLDS)
    frames = list(log.read())
    passing.advance(frames)
    for frame in frames:
        fresh = Recorded(frame.sequence, frame.subject, frame.id, frame.payload)
        assert fresh.facts == frame.facts


class Unordered(msgspec.Struct):
    names: set[str]


class Mixed(msgspec.Struct):
    either: list[int] | None


@pytest.mark.parametrize("kind", [Unordered, Mixed, dict[str, object]])
def test_a_state_that_could_not_be_kept_exactly_is_refused(kind):
    with pytest.raises(TypeError, match="cannot be kept"):
        keeper_of(kind)


def test_a_position_of_a_frozen_struct_is_shared_not_copied():
    here = Position(3, 1)
    keeper = keeper_of(dict[str, Position])
    assert keeper.restored(keeper.keep({"a": here}, None))["a"] is here


def preserved_at(log, position):
    passing = whole(log, position)
    return passing, preserve(passing, log)


def test_snapshot_plus_tail_is_the_whole_fold():
    log = tales.busy(20).log
    end = whole(log, log.last())
    for position in random.Random(2).sample(range(log.last()), 10):
        _, content = preserved_at(log, position)
        passing = resume(content, log, *FOLDS)
        assert passing.through == position
        passing.advance(log.read(position))
        assert bytes_of(passing) == bytes_of(end)
        assert Measurement(passing=passing).digest() == tales.measured(tales.busy(20)).digest()


@pytest.mark.prove
def test_at_two_hundred_positions_the_whole_fold_a_mark_and_a_snapshot_agree(tmp_path):
    archive.export(synthetic(1500).log, tmp_path / "a.myriad")
    log = archive.open_file(tmp_path / "a.myriad")
    timeline, straight = Timeline(log, *FOLDS), Pass(*FOLDS)
    timeline.catch_up()
    end, chance = Measurement(passing=timeline.at(log.last())).digest(), random.Random(3)
    positions = sorted(chance.sample(range(1, log.last()), 200))
    frames = log.read()
    for nth, position in enumerate(positions):
        straight.advance(next(frames) for _ in range(position - straight.through))
        expected = bytes_of(straight)
        assert bytes_of(timeline.at(position)) == expected
        resumed = resume(preserve(straight, log), log, *FOLDS)
        assert bytes_of(resumed) == expected
        if nth % 10 == 0:
            resumed.advance(log.read(position))
            assert Measurement(passing=resumed).digest() == end


def test_a_measurement_that_goes_on_from_a_mark_digests_all_of_it():
    c = tales.busy(20)
    timeline = Timeline(c.log, *MEASURES, every=16)
    timeline.catch_up()
    measurement = Measurement(passing=timeline.at(c.log.last() // 2))
    measurement.digest()
    measurement.advance(c.log.read())
    assert measurement.digest() == tales.measured(c).digest()
    assert measurement.values() == tales.measured(c).values()


def refusal(content, log, *folds):
    with pytest.raises(SnapshotRefused) as refused:
        resume(content, log, *folds or FOLDS)
    return refused.value.difference


def test_a_snapshot_of_other_code_is_refused(monkeypatch):
    log = tales.busy(5).log
    _, content = preserved_at(log, 20)
    monkeypatch.setattr(preserved, "_code", lambda: "another")
    assert refusal(content, log) == "code"


def test_one_byte_of_any_module_is_other_code(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "x.py").write_text("x = 1\n")
    first = sources.code([str(tmp_path)])
    assert sources.code([str(tmp_path)]) == first
    (tmp_path / "inner" / "x.py").write_text("x = 2\n")
    assert sources.code([str(tmp_path)]) != first


def rewritten(log, sequence, old, new):
    """The same log with other bytes in one frame."""
    other = MemoryLog(log.campaign)
    frames = list(log.read())
    spoilt = frames[sequence - 1].payload.replace(old, new)
    assert spoilt != frames[sequence - 1].payload
    frames[sequence - 1] = Recorded(sequence, frames[sequence - 1].subject, frames[sequence - 1].id, spoilt)
    other.restore(frames)
    return other


@pytest.mark.parametrize("kept", ["memory", "archive"])
def test_a_snapshot_of_a_log_that_differs_in_one_early_digit_is_refused(kept, tmp_path):
    def placed(log, name):
        if kept == "memory":
            return log
        archive.export(log, tmp_path / name)
        return archive.open_file(tmp_path / name)

    told = tales.busy(5).log
    log, other = placed(told, "one.myriad"), placed(rewritten(told, 1, b'"seed":0', b'"seed":1'), "two.myriad")
    _, content = preserved_at(log, 20)
    assert resume(content, log, *FOLDS).through == 20
    assert refusal(content, other) == "log"


def test_a_log_shorter_than_the_snapshot_is_another_log():
    _, content = preserved_at(tales.busy(5).log, 30)
    assert refusal(content, tales.one().log) == "log"


def test_other_folds_than_those_of_the_snapshot_are_refused():
    log = tales.busy(5).log
    _, content = preserved_at(log, 20)
    assert refusal(content, log, *MEASURES) == "folds"


def test_every_damaged_byte_of_a_snapshot_is_found():
    log = tales.busy(3).log
    _, content = preserved_at(log, 20)
    for place in range(0, len(content), 97):
        spoilt = bytearray(content)
        spoilt[place] ^= 1
        assert refusal(bytes(spoilt), log)
    assert refusal(content[:-1], log) == "bytes"


def test_an_archive_vouches_for_a_log_without_being_read(tmp_path, monkeypatch):
    archive.export(synthetic(120).log, tmp_path / "a.myriad")
    log = archive.open_file(tmp_path / "a.myriad")
    through, chain = log.vouched(log.last() - 1)
    assert 512 <= through < log.last()
    assert len(chain) == 64
    assert fingerprint(log, through) != fingerprint(log, through - 1)
    assert log.vouched(3) == (0, "")
    assert fingerprint(log, 3) == fingerprint(synthetic(120).log, 3)


def test_a_shelf_keeps_the_last_two_and_says_when_it_cannot(tmp_path):
    shelf = Shelf(tmp_path / "snapshots")
    assert [shelf.put(name, name.encode()) for name in ("a", "b", "c")] == [True] * 3
    assert shelf.names() == ["b", "c"]
    assert (shelf.get("a"), shelf.get("c")) == (None, b"c")
    (tmp_path / "file").write_text("")
    assert not Shelf(tmp_path / "file").put("a", b"a")
    assert Shelf(tmp_path / "file").names() == []
