"""What every log promises; an adapter's suite names its log and inherits the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from events import facts, subjects
from events.codec import LIMIT
from events.envelope import Text
from events.errors import AuthorForbidden, Conflict, FrameRefused, FrameUnreadable, GapFound
from events.log import Appended, Fence, Frame
from tests.events.saying import AUTHOR, frame, lease, own, recorded, revoked, said, until

Log = Any
"""An `EventLog` that is also `Restorable`."""


class LogContract:
    """Requires a fixture `log`: empty, of any campaign."""

    def test_an_empty_log_ends_at_zero_and_reads_nothing(self, log: Log) -> None:
        assert log.last() == 0
        assert list(log.read()) == []

    def test_frames_are_read_back_in_order_with_their_subjects_ids_and_payloads(self, log: Log) -> None:
        frames = [frame(log.campaign, n, pack=f"p-{n % 3}") for n in range(1, 8)]
        sequences = [log.append(written).sequence for written in frames]
        assert sequences == [1, 2, 3, 4, 5, 6, 7]
        read = list(log.read())
        assert [(r.sequence, r.subject, r.id, r.payload) for r in read] == [
            (n, written.subject, written.id, written.payload) for n, written in enumerate(frames, start=1)
        ]
        assert [r.facts for r in read] == [written.facts for written in frames]

    def test_reading_begins_after_a_sequence(self, log: Log) -> None:
        for n in range(1, 6):
            log.append(frame(log.campaign, n))
        assert [r.sequence for r in log.read(3)] == [4, 5]
        assert list(log.read(5)) == []

    def test_a_filter_reads_its_subjects_alone(self, log: Log) -> None:
        for n in range(1, 7):
            log.append(frame(log.campaign, n, pack=f"p-{n % 2}"))
        log.append(revoked(log.campaign, 1, pack="p-1"))
        assert [r.sequence for r in log.read(0, subjects.pack(log.campaign, "p-1"))] == [1, 3, 5, 7]
        assert [r.sequence for r in log.read(0, subjects.own(log.campaign, "scheduler"))] == [7]
        assert [r.sequence for r in log.read(2, subjects.everything(log.campaign))] == [3, 4, 5, 6, 7]
        assert list(log.read(0, subjects.pack(log.campaign, "p-9"))) == []

    def test_reading_can_be_given_up_in_the_middle(self, log: Log) -> None:
        for n in range(1, 6):
            log.append(frame(log.campaign, n))
        reading = log.read()
        assert next(reading).sequence == 1
        reading.close()
        assert [r.sequence for r in log.read()] == [1, 2, 3, 4, 5]

    def test_a_follower_sees_what_was_there_and_what_comes_each_once_in_order(self, log: Log) -> None:
        for n in range(1, 4):
            log.append(frame(log.campaign, n))
        follower = log.follow(1)
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.extend(r.sequence for r in follower))
        thread.start()
        for n in range(4, 50):
            log.append(frame(log.campaign, n))
        until(lambda: len(seen) >= 48)
        follower.stop()
        thread.join()
        assert seen == list(range(2, 50))

    def test_a_follower_stops_when_it_is_idle(self, log: Log) -> None:
        follower = log.follow()
        thread = threading.Thread(target=lambda: list(follower))
        thread.start()
        follower.stop()
        thread.join(20)
        assert not thread.is_alive()

    def test_a_follower_of_a_filter_sees_its_subjects_alone(self, log: Log) -> None:
        follower = log.follow(0, subjects.pack(log.campaign, "p-1"))
        for n in range(1, 7):
            log.append(frame(log.campaign, n, pack=f"p-{n % 2}"))
        seen: list[int] = []
        for r in follower:
            seen.append(r.sequence)
            if len(seen) == 3:
                break
        assert seen == [1, 3, 5]

    def test_an_id_is_kept_once_and_its_repetition_answers_where_it_stands(self, log: Log) -> None:
        assert log.append(frame(log.campaign, 1)) == Appended(1)
        assert log.append(frame(log.campaign, 2)) == Appended(2)
        assert log.append(frame(log.campaign, 1, reason="another word")) == Appended(1, duplicate=True)
        assert log.last() == 2
        assert next(log.read()).facts == frame(log.campaign, 1).facts

    def test_a_role_has_one_live_writer(self, log: Log) -> None:
        assert log.append(frame(log.campaign, 1, pack="p-1"), expecting=own(log, 0)).sequence == 1
        log.append(frame(log.campaign, 1, author="worker-b"))
        assert log.append(frame(log.campaign, 2, pack="p-2"), expecting=own(log, 1)).sequence == 3
        with pytest.raises(Conflict) as zombie:
            log.append(frame(log.campaign, 9, pack="p-3"), expecting=own(log, 1))
        assert (zombie.value.expected, zombie.value.actual) == (1, 3)
        assert log.last() == 3

    def test_a_worker_whose_lease_was_revoked_is_refused(self, log: Log) -> None:
        assert log.append(frame(log.campaign, 1), expecting=lease(log, 0)).sequence == 1
        assert log.append(revoked(log.campaign, 1), expecting=lease(log, 1)).sequence == 2
        with pytest.raises(Conflict):
            log.append(frame(log.campaign, 2), expecting=lease(log, 1))
        log.append(frame(log.campaign, 2, pack="p-2"), expecting=lease(log, 0, "p-2"))
        assert log.last() == 3

    def test_a_fenced_frame_whose_answer_was_lost_is_found_when_it_is_repeated(self, log: Log) -> None:
        log.append(frame(log.campaign, 1), expecting=own(log, 0))
        log.append(frame(log.campaign, 1, author="worker-b"))
        mine = frame(log.campaign, 2, pack="p-2")
        assert log.append(mine, expecting=own(log, 1)) == Appended(3)
        log.append(frame(log.campaign, 3), expecting=own(log, 3))
        assert log.append(mine, expecting=own(log, 1)) == Appended(3, duplicate=True)
        assert log.last() == 4

    def test_another_copy_of_me_that_spoke_first_under_my_id_is_a_duplicate(self, log: Log) -> None:
        log.append(frame(log.campaign, 1, reason="the other copy"), expecting=own(log, 0))
        answer = log.append(frame(log.campaign, 1, reason="mine"), expecting=own(log, 0))
        assert answer == Appended(1, duplicate=True)
        assert next(log.read()).facts == frame(log.campaign, 1, reason="the other copy").facts

    def test_of_racing_claimers_exactly_one_wins_each_time(self, log: Log) -> None:
        claims, wins = 12, []
        start = threading.Barrier(4)

        def claim(author: str) -> None:
            for pack in range(claims):
                start.wait()
                try:
                    claimed = frame(log.campaign, pack, author=author, pack=f"p-{pack}")
                    log.append(claimed, expecting=lease(log, 0, f"p-{pack}"))
                except Conflict:
                    continue
                wins.append(pack)

        threads = [threading.Thread(target=claim, args=(f"worker-{name}",)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(wins) == list(range(claims))
        assert log.last() == claims

    def test_submitted_frames_under_one_fence_keep_their_order(self, log: Log) -> None:
        futures = [log.submit(frame(log.campaign, n), expecting=own(log, n - 1)) for n in range(1, 31)]
        assert [future.result(20).sequence for future in futures] == list(range(1, 31))

    def test_many_submitted_frames_all_arrive(self, log: Log) -> None:
        futures = [log.submit(frame(log.campaign, n)) for n in range(1, 601)]
        assert [future.result(20).sequence for future in futures] == list(range(1, 601))
        assert [r.id for r in log.read()] == [f"{AUTHOR}:{n}" for n in range(1, 601)]

    @pytest.mark.parametrize(
        ("refused", "kind"),
        [
            (lambda c: said(c, 1), FrameRefused),
            (lambda c: said(c, 1, facts.WorkerRetired(worker="w", reason="x" * LIMIT)), FrameRefused),
            (lambda c: said(c, 1, facts.WorkerRetired(worker="w", reason="x", at=2**53)), FrameRefused),
            (lambda c: said(c, 1, _failed(gpu_seconds=float("nan"))), FrameRefused),
            (lambda c: said(c, 1, _failed(gpu_seconds=float("inf"))), FrameRefused),
            (lambda c: said(c, 1, facts.WorkerRetired(worker=7, reason="x")), FrameRefused),  # type: ignore[arg-type] # on purpose
            (lambda c: said(c, 1, facts.LogSealed(digest="d")), AuthorForbidden),
            (lambda c: frame("another", 1), FrameRefused),
            (lambda c: frame(c, 1, pack="p.1"), FrameRefused),
            (lambda c: Frame(frame(c, 1).subject, "no number", frame(c, 1).facts), FrameRefused),
        ],
        ids=["empty", "large", "integer", "nan", "infinite", "type", "author", "campaign", "token", "id"],
    )
    def test_a_frame_that_may_not_be_written_is_refused_and_leaves_nothing(
        self, log: Log, refused: Callable[[str], Frame], kind: type[Exception]
    ) -> None:
        with pytest.raises(kind):
            log.append(refused(log.campaign))
        assert isinstance(log.submit(refused(log.campaign)).exception(20), kind)
        assert log.last() == 0

    def test_a_fence_that_does_not_hold_its_frame_is_refused(self, log: Log) -> None:
        with pytest.raises(FrameRefused):
            log.append(frame(log.campaign, 1), expecting=Fence(subjects.own(log.campaign, "somebody"), 0))
        assert log.last() == 0

    def test_the_largest_frame_is_written_and_read_back(self, log: Log) -> None:
        empty = frame(log.campaign, 1, reason="")
        largest = frame(log.campaign, 1, reason="x" * (LIMIT - len(empty.payload)))
        assert len(largest.payload) == LIMIT
        log.append(largest)
        assert next(log.read()).payload == largest.payload

    def test_recorded_frames_are_restored_at_their_own_sequences(self, log: Log) -> None:
        frames = [recorded(log.campaign, n, b'[{"type":"FromTomorrow","n":%d}]' % n) for n in range(1, 400)]
        log.restore(iter(frames))
        assert list(log.read()) == frames
        with pytest.raises(GapFound):
            log.restore([recorded(log.campaign, 401, b"[]")])
        assert log.last() == 399

    def test_a_type_from_a_newer_myriad_is_named_with_its_position_and_its_bytes_pass(self, log: Log) -> None:
        log.restore([recorded(log.campaign, 1, b'[{"type":"FromTomorrow","n":1}]')])
        strange = next(log.read())
        assert strange.payload == b'[{"type":"FromTomorrow","n":1}]'
        with pytest.raises(FrameUnreadable, match="newer Myriad") as refused:
            strange.facts  # noqa: B018 # asking for the facts is what decodes them
        assert (refused.value.sequence, refused.value.unknown) == (1, "FromTomorrow")

    def test_an_author_is_held_to_its_types_on_reading_too(self, log: Log) -> None:
        forged = said(log.campaign, 1, facts.LogSealed(digest="d"), author="analyst").payload
        log.restore([recorded(log.campaign, 1, forged)])
        with pytest.raises(AuthorForbidden) as refused:
            next(log.read()).facts  # noqa: B018 # asking for the facts is what checks them
        assert (refused.value.author, refused.value.kind, refused.value.sequence) == (AUTHOR, "LogSealed", 1)


def _failed(*, gpu_seconds: float) -> facts.Failed:
    trace = Text(head="trace")
    return facts.Failed(experiment="e-1", attempt=1, kind="diverged", step=3, trace=trace, gpu_seconds=gpu_seconds)
