import random
from itertools import islice

import msgspec
import pytest

from events import facts, upcasters
from events.archives import archive, records
from events.archives.archivist import Segments, catch_up
from events.folder import Campaign
from events.log import Frame, Recorded
from events.memory import MemoryLog
from events.space import Choice, Interval
from events.wire import reader
from replay import digest as digests
from replay.digest import SCHEME, digest
from replay.entries import Ban
from replay.folds import run
from replay.ledger import Attempt, Experiment, Idea, Ledger, LedgerFold, Outcome
from replay.measures import Measurement, exact
from replay.seals import overall, verified
from tests.chronicle import Chronicle
from tests.replay import tales


def digest_of(frames):
    measurement = Measurement()
    measurement.advance(frames)
    return measurement.digest()


def two_results(first=0.7, second=0.8, *, agent="tpe", swapped=False):
    c = Chronicle()
    c.opened()
    c.joins("tpe")
    c.joins("uniform")
    one, other = c.queues(c.proposes(agent)), c.queues(c.proposes("uniform", batch=32))
    c.worker_joins("worker-b-1")
    for experiment, worker in ((one, "worker-cpu0-a"), (other, "worker-b-1")):
        c.assigns(experiment, on=worker)
        c.starts(experiment)
    ended = [(one, first), (other, second)]
    clock = c.at
    for experiment, score in reversed(ended) if swapped else ended:
        # each worker's clock says the same whoever comes first
        c.at = clock + (0 if experiment == one else 10)
        c.completes(experiment, validation=score, test=0.5, noise=0.03)
    return digest_of(c.log.read())


def test_one_history_has_one_digest():
    assert two_results() == two_results()
    assert two_results().startswith(f"{SCHEME}:")
    assert len(two_results().partition(":")[2]) == 64


def test_one_digit_of_one_result_changes_it():
    assert two_results(0.7) != two_results(0.7000000000000001)


def test_one_author_changes_it():
    assert two_results() != two_results(agent="uniform")


def test_the_order_of_two_completions_changes_it():
    assert two_results() != two_results(swapped=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("test", 0.1), ("noise", 0.2), ("epoch", 1), ("gpu_seconds", 9.0), ("peak_memory", 1), ("checkpoint", "ab")],
)
def test_every_field_of_a_result_changes_it(field, value):
    plain, changed = Chronicle(), Chronicle()
    for c, fields in ((plain, {}), (changed, {field: value})):
        c.opened()
        c.runs(c.queues(c.proposes("tpe")), **fields)
    assert digest_of(plain.log.read()) != digest_of(changed.log.read())


def test_every_fact_before_the_end_changes_it():
    c = tales.busy(14)
    frames = list(c.log.read())
    measurement, seen = Measurement(), []
    for frame in frames:
        measurement.advance((frame,))
        seen.append(measurement.digest())
    silent = ("WorkerJoined", "AnswerReceived", "RemedyProposed")
    for frame, before, after in zip(frames[1:], seen, seen[1:], strict=False):
        if type(frame.facts[0]).__name__ not in silent:
            assert before != after, frame


def test_step_by_step_is_the_same_as_one_pass_and_as_afresh():
    c = tales.busy(30)
    live = Measurement()
    for frame in c.log.read():
        live.advance((frame,))
        live.digest()
    assert live.digest() == digest_of(c.log.read())
    assert live.digest() == digest(live.ledger, exact(live.results))


def test_at_every_cut_the_incremental_digest_equals_the_one_afresh():
    live = Measurement()
    for frame in tales.busy(25).log.read():
        live.advance((frame,))
        if frame.sequence % 3:
            assert live.digest() == digest(live.ledger, exact(live.results))


def test_a_change_to_any_record_of_a_leaf_is_hashed_again():
    live, c = Measurement(), Chronicle()
    c.opened()
    waiting = [c.queues(c.proposes("tpe")) for _ in range(3 * digests.SCHEMES[SCHEME].leaf)]
    live.advance(c.log.read())
    random.Random(0).shuffle(waiting)
    for experiment in waiting:
        before = live.digest()
        c.says("person-1c2d3e", "campaign", "boosts", facts.Boosted(experiment=experiment, by=1.0, reason="a try"))
        live.advance(c.log.read())
        assert live.digest() != before
        assert live.digest() == digest(live.ledger, exact(live.results))


def test_the_analysts_own_facts_leave_it_alone():
    c = tales.busy(10)
    before = digest_of(c.log.read())
    c.measures(f"{SCHEME}:ab", entropy_whole=1.0)
    c.seals(f"{SCHEME}:cd")
    assert digest_of(c.log.read()) == before


def test_a_log_without_the_analysts_facts_has_the_same_digest_though_every_sequence_moves():
    spoken, silent = MemoryLog("tale"), tales.busy(12)
    analyst = tales.Chronicle()
    for number, frame in enumerate(silent.log.read()):
        if number % 5 == 1:
            analyst.measures(f"{SCHEME}:ab")
            spoken.append(Frame("myriad.tale.analysis.metrics.analyst", f"analyst:{number}", _last(analyst).facts))
        spoken.append(Frame(frame.subject, frame.id, frame.facts))
    assert spoken.last() > silent.log.last()
    assert digest_of(spoken.read()) == digest_of(silent.log.read())


def _last(c):
    return list(c.log.read())[-1]


def test_an_archive_has_the_digest_of_the_log_that_it_was_written_from(tmp_path):
    c = tales.busy(20)
    archive.export(c.log, tmp_path / "tale.myriad")
    kept = archive.open_file(tmp_path / "tale.myriad")
    assert digest_of(kept.read()) == digest_of(c.log.read())


def test_a_server_has_the_digest_of_the_log_in_memory(jetstream_log):
    c = Chronicle(jetstream_log.campaign)
    c.opened()
    for score in (0.5, 0.7, 0.6):
        c.runs(c.queues(c.proposes("tpe")), validation=score)
    c.seals(digest_of(c.log.read()))
    for frame in c.log.read():
        jetstream_log.append(Frame(frame.subject, frame.id, frame.facts))
    assert digest_of(jetstream_log.read()) == digest_of(c.log.read())
    assert overall(verified(jetstream_log)[1]) == "held"


@pytest.mark.parametrize("seed", range(8))
def test_however_the_frames_are_handed_over_the_digest_is_the_same(seed):
    """In batches of any size, some of them again, from readings that begin anywhere, asked in between or not."""
    c, chance, measurement = tales.busy(25), random.Random(seed), Measurement()
    while measurement.through < c.log.last():
        after = chance.randint(0, measurement.through)
        batch = islice(c.log.read(after), chance.randint(1, 60))
        measurement.advance(batch if chance.random() < 0.5 else list(batch))
        if chance.random() < 0.3:
            measurement.values()
            measurement.digest()
    assert measurement.digest() == digest_of(c.log.read())


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_and_segments_of_any_length_have_the_digest_of_the_log(block, monkeypatch, tmp_path):
    monkeypatch.setattr(records, "BLOCK", block)
    c = tales.busy(10)
    archive.export(c.log, tmp_path / "c.myriad")
    assert digest_of(archive.open_file(tmp_path / "c.myriad").read()) == digest_of(c.log.read())
    folder = Campaign(tmp_path / c.log.campaign)
    catch_up(c.log, Segments(folder, c.log), every=3 * block + 1)
    segments = archive.open_folder(folder.archive, c.log.campaign)
    assert digest_of(segments.read()) == digest_of(c.log.read())


@pytest.mark.parametrize("batch", [2, 13])
def test_a_server_that_is_asked_for_batches_of_any_size_has_the_digest_of_the_log(batch, monkeypatch, jetstream_log):
    monkeypatch.setattr(reader, "BATCH", batch)
    c = Chronicle(jetstream_log.campaign)
    c.opened()
    for turn in range(6):
        c.runs(c.queues(c.proposes("tpe", batch=(16, 32)[turn % 2])), validation=0.5 + turn / 10)
    for frame in c.log.read():
        jetstream_log.append(Frame(frame.subject, frame.id, frame.facts))
    measurement = Measurement()
    measurement.advance(jetstream_log.read())
    measurement.advance(jetstream_log.read(c.log.last() // 2))
    assert measurement.digest() == digest_of(c.log.read())


def rewritten(frame, change):
    facts = [change(fact) for fact in msgspec.json.decode(frame.payload)]
    return Recorded(frame.sequence, frame.subject, frame.id, msgspec.json.encode(facts))


def test_a_vocabulary_of_tomorrow_reads_todays_log_to_the_same_digest(monkeypatch):
    def carried(old):
        return {("validation" if key == "ap" else key): value for key, value in old.items()} | {"type": "Completed"}

    def aged(fact):
        if fact["type"] != "Completed":
            return fact
        return {("ap" if key == "validation" else key): value for key, value in fact.items()} | {"type": "Finished"}

    monkeypatch.setitem(upcasters.UPCASTERS, "Finished", carried)
    c = tales.busy(10)
    old = [rewritten(frame, aged) for frame in c.log.read()]
    assert [frame.payload for frame in old] != [frame.payload for frame in c.log.read()]
    assert digest_of(old) == digest_of(c.log.read())


def test_a_log_of_the_first_vocabulary_has_the_digest_of_the_same_log_upcast():
    def aged(fact):
        if fact["type"] != "Queued.2":
            return fact
        terms = fact.pop("terms")
        return fact | {"type": "Queued", "why": ", ".join(f"{name} {value:.2f}" for name, value in terms.items())}

    c = tales.busy(10)
    old = [rewritten(frame, aged) for frame in c.log.read()]
    assert sum(b'"Queued"' in frame.payload for frame in old) == len(tales.measured(c).ledger.experiments)
    assert digest_of(old) == digest_of(c.log.read())


LEDGER = ("campaign", "space", "seed", "opened_at", "closed", "ideas", "experiments", "completed", "void")
INDEXES = (
    *("unjudged", "leases", "states", "served", "turn", "turns", "waiting", "opening", "closing", "moved"),
    *("scores", "foremost"),
    *("declined", "fruitless", "pausing", "reopening", "cancelled", "asked", "widened", "dead_ends"),
)
ELSEWHERE = ("eras", "defects", "repeats")  # what they touch is in the exact counts; see `replay.measures.exact`
SENTENCES = ("imported",)
ACTS = ("paused", "bans")


def fields(kind):
    return set(kind.__struct_fields__)


@pytest.mark.parametrize(
    ("kind", "covered", "left_out"),
    [
        (Idea, digests.IDEA, {"proposed"}),
        (
            Experiment,
            digests.EXPERIMENT,
            {"ended", "moved", "execution", "attempts", "outcome", "number", "boost", "cancelled"},
        ),
        (Attempt, digests.ATTEMPT, {"execution", "leased"}),
        (Outcome, digests.OUTCOME, {"curves"}),
        (Ledger, (), {*LEDGER, *INDEXES, *ELSEWHERE, *ACTS, *SENTENCES}),
        (Ban, digests.BAN, {"declared", "ruled", "refuted"}),
        (Choice, digests.CHOICE, {"keys"}),
        (Interval, digests.INTERVAL, {"keys"}),
    ],
)
def test_a_new_field_is_digested_or_left_out_by_name(kind, covered, left_out):
    """Left out: positions, second names, places in an order that is digested anyway, and what has a form of its own."""
    assert fields(kind) == set(covered) | left_out


@pytest.mark.parametrize(
    "act",
    [
        facts.Boosted(experiment="e-2", by=0.5, reason="because"),
        facts.Cancelled(experiment="e-2", reason="because"),
        facts.Banned(ban="b-1", where="pooling == last", reason="because"),
        facts.CampaignPaused(reason="because"),
    ],
    ids=lambda act: type(act).__name__,
)
def test_what_a_person_asks_for_is_digested_as_it_comes_and_afresh(act):
    c = Chronicle()
    c.opened()
    c.joins("tpe")
    for learning_rate in (1e-3, 2e-3):
        c.queues(c.proposes("tpe", learning_rate=learning_rate))
    growing, before = Measurement(), digest_of(c.log.read())
    growing.advance(c.log.read())
    assert growing.digest() == before
    c.says("person-a", "campaign", "act", act)
    growing.advance(c.log.read())
    assert growing.digest() == digest_of(c.log.read()) != before


def test_the_search_keeps_the_same_ledger_as_the_ledger_alone():
    c = tales.busy(30)
    assert tales.measured(c).ledger == run(c.log, LedgerFold())[0]
