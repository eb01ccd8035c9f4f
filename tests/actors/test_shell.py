"""The shell, its pen and feed, and the supervisor: one decision at a time, intent first, and death as a fact."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pykka
import pytest

from actors import feed as feeds
from actors.errors import RoleGivenUp
from actors.feed import Feed
from actors.hands import Hands, NoHands
from actors.orders import Answered, Order, Propose, Refused, Result
from actors.pen import Pen, wall_clock
from actors.role import Decision, Known, News
from actors.shell import Died, Shell
from actors.supervisor import RESTARTS, Supervisor, stop_everybody
from events import subjects
from events.blobs import Blobs
from events.errors import Conflict, FrameRefused, LogLost
from events.facts import (
    AgentJoined,
    AnswerReceived,
    CampaignPaused,
    CycleStarted,
    Failed,
    RoleFailed,
    RoleRestarted,
    Text,
)
from events.log import Appended, Fence, Frame, Recorded
from events.memory import MemoryLog
from tests.actors.waiting import eventually
from tests.chronicle import Chronicle

ME = "agent-me"


class Counting:
    """A role that begins `wanted` cycles and records their answers; it notes how it was asked."""

    author = ME

    def __init__(self, wanted: int = 1, *, raises: Callable[[int], Exception | None] = lambda asked: None) -> None:
        self.wanted = wanted
        self.asked = 0
        self.inside = 0
        self.news: list[News] = []
        self._raises = raises

    def initial(self) -> Known:
        return Known()

    def decide(self, known: Known, now: int, news: News) -> Decision | None:
        self.asked += 1
        self.inside += 1
        assert self.inside == 1, "asked while it was still deciding"
        try:
            return self._decided(known, news)
        finally:
            self.inside -= 1

    def _decided(self, known: Known, news: News) -> Decision | None:
        if (error := self._raises(self.asked)) is not None:
            raise error
        self.news.append(news)
        if (cycle := known.cycles.open("me")) is not None:
            result = news.results.get(cycle.cycle)
            if result is None and cycle.cycle in news.underway:
                return None
            said = AnswerReceived(cycle=cycle.cycle, text=_text(result), model="m")
            return Decision("cycle", cycle.cycle, (said,), settles=(cycle.cycle,))
        begun = len(known.cycles.agents["me"].cycles)
        if begun >= self.wanted or news.stopping:
            return None
        name = f"c-{begun + 1}"
        order = Propose(id=name, key=1, history=None)  # type: ignore[arg-type] # these hands look at no history
        return Decision("cycle", name, (CycleStarted(cycle=name, agent="me", key=1),), orders=(order,))


def _text(result: Result | None) -> Text:
    return Text(head=getattr(result, "reason", "an answer"))


class Answering:
    """Hands that answer at once, or wait for `free`; they note what the log held when they were asked."""

    def __init__(self, log: MemoryLog, *, free: threading.Event | None = None) -> None:
        self._log = log
        self._free = free
        self.held: list[int] = []
        self.closed = False

    def perform(self, order: Order) -> Result:
        self.held.append(self._log.last())
        if self._free is not None:
            assert self._free.wait(20)
        return Answered(id=order.id, text="", model="m", ideas=(), seconds=0.0)

    def close(self) -> None:
        self.closed = True


class Raising(NoHands):
    """Hands that fail."""

    def perform(self, order: Order) -> Result:
        raise OSError("the wire is cut")


class Gated(MemoryLog):
    """A log that acknowledges nothing before `open` is set, and does what `first` says before its first frame."""

    def __init__(self, campaign: str) -> None:
        super().__init__(campaign)
        self.open = threading.Event()
        self.open.set()
        self.first: Callable[[], None] | None = None
        self.broken: Exception | None = None

    def append(self, frame: Frame, *, expecting: Fence | None = None) -> Appended:
        if frame.author == ME:
            if self.first is not None:
                act, self.first = self.first, None
                act()
            assert self.open.wait(20)
            if self.broken is not None:
                raise self.broken
        return super().append(frame, expecting=expecting)


class Stage:
    """A log with an opened campaign and a joined agent, its feed, and whatever shells a test starts."""

    def __init__(self) -> None:
        tale = Chronicle()
        self.log = Gated("tale")
        tale.log = self.log
        tale.opened()
        tale.says("supervisor", "campaign", "x", RoleRestarted(role="x", restart=1))
        self.tale = tale
        tale.says("agent-host", "campaign", "me", AgentJoined(agent="me", policy="uniform"))
        self.feed = Feed(self.log)
        self.feed.start()
        self.died: list[Died] = []

    def shell(self, role: Any, hands: Hands | None = None) -> pykka.ActorRef[Shell]:
        return Shell.start(role, hands or Answering(self.log), self.log, self.feed, wall_clock, died=self.died.append)

    def facts(self, kind: type) -> list[Any]:
        return [fact for recorded in self.log.read() for fact in recorded.facts if isinstance(fact, kind)]

    def rival(self, identity: str) -> None:
        """Another copy of the agent starts the same cycle, under this frame id."""
        subject = subjects.subject("tale", "cycle", "c-1", ME)
        fact = CycleStarted(cycle="c-1", agent="me", key=1)
        MemoryLog.append(self.log, Frame(subject, identity, (fact,)))


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.log.open.set()
    stop_everybody(20)
    stage.feed.stop()


def test_a_role_is_asked_for_one_decision_at_a_time_each_after_the_last_has_come_back(stage: Stage) -> None:
    role = Counting(wanted=5)
    stage.shell(role)
    eventually(lambda: len(stage.facts(AnswerReceived)) == 5)
    own = [recorded for recorded in stage.log.read() if recorded.author == ME]
    assert [recorded.id for recorded in own] == [f"{ME}:{n}" for n in range(1, 11)]
    for recorded in own:
        assert recorded.facts[0].through == recorded.sequence - 1


def test_an_order_begins_only_after_its_frame_is_acknowledged(stage: Stage) -> None:
    hands = Answering(stage.log)
    stage.log.open.clear()
    role = Counting()
    before = stage.log.last()
    stage.shell(role, hands)
    eventually(lambda: role.asked == 1)
    assert hands.held == []
    stage.log.open.set()
    eventually(lambda: stage.facts(AnswerReceived))
    assert hands.held == [before + 1]


def test_a_duplicate_answer_discards_my_frame_and_its_orders(stage: Stage) -> None:
    hands, role = Answering(stage.log), Counting(wanted=1)
    stage.log.first = lambda: stage.rival(f"{ME}:1")
    stage.shell(role, hands)
    eventually(lambda: role.asked >= 2)
    assert len(stage.facts(CycleStarted)) == 1
    assert hands.held == []


def test_a_conflict_is_folded_and_decided_again(stage: Stage) -> None:
    hands, role = Answering(stage.log), Counting(wanted=2)

    def other() -> None:
        stage.rival(f"{ME}:77")
        done = AnswerReceived(cycle="c-1", text=_text(Refused("c-1", "said")), model="m")
        subject = subjects.subject("tale", "cycle", "c-1", ME)
        MemoryLog.append(stage.log, Frame(subject, f"{ME}:78", (done,)))

    stage.log.first = other
    stage.shell(role, hands)
    eventually(lambda: len(stage.facts(AnswerReceived)) == 2)
    assert [fact.cycle for fact in stage.facts(CycleStarted)] == ["c-1", "c-2"]
    assert len(hands.held) == 1


def test_hands_that_raise_have_refused_and_say_why(stage: Stage) -> None:
    stage.shell(Counting(), Raising())
    eventually(lambda: stage.facts(AnswerReceived))
    assert stage.facts(AnswerReceived)[0].text.head == "OSError: the wire is cut"


def test_a_result_stays_until_a_decision_settles_it_and_no_longer(stage: Stage) -> None:
    role = Counting(wanted=2)
    stage.shell(role)
    eventually(lambda: len(stage.facts(AnswerReceived)) == 2)
    stage.feed.tick()
    asked = role.asked
    eventually(lambda: role.asked > asked or (stage.feed.tick(), False)[1])
    assert role.news[-1].results == {}
    assert role.news[-1].underway == frozenset()


def test_a_shell_that_is_stopped_gives_its_hands_back(stage: Stage) -> None:
    hands = Answering(stage.log)
    ref = stage.shell(Counting(wanted=0), hands)
    ref.stop(timeout=20)
    assert hands.closed
    assert stage.died == []


def test_a_role_that_was_told_to_leave_is_not_told_to_stay_by_a_later_word(stage: Stage) -> None:
    role = Counting(wanted=0)
    ref = stage.shell(role)
    for word in ("stopping", "leaving", "stopping"):
        ref.tell(word)
    eventually(lambda: role.asked >= 3 and role.news[-1].leaving)
    ref.stop(timeout=20)
    assert role.news[-1].leaving


@pytest.fixture
def supervised(stage: Stage, blobs: Blobs) -> Callable[[Callable[[], Any]], list[Exception]]:
    """Start a supervisor over one role; returns what it gave up for."""

    def start(make: Callable[[], Any]) -> list[Exception]:
        gave_up: list[Exception] = []

        def shell(died: Callable[[Died], None]) -> pykka.ActorRef[Shell]:
            return Shell.start(make(), Answering(stage.log), stage.log, stage.feed, wall_clock, died=died)

        Supervisor.start({ME: shell}, {}, stage.log, stage.feed, clock=wall_clock, blobs=blobs, give_up=gave_up.append)
        return gave_up

    return start


def test_a_role_that_raises_is_restarted_by_refolding_and_both_are_facts(
    stage: Stage, supervised: Callable[[Callable[[], Any]], list[Exception]]
) -> None:
    first = Counting(wanted=3, raises=lambda asked: ValueError("a bug") if asked == 3 else None)
    roles = iter([first, Counting(wanted=3)])
    gave_up = supervised(lambda: next(roles))
    eventually(lambda: len(stage.facts(AnswerReceived)) >= 2)
    failed, restarted = stage.facts(RoleFailed)[0], stage.facts(RoleRestarted)[-1]
    assert (failed.role, failed.error) == (ME, "ValueError('a bug')")
    assert "in _decided" in failed.trace.head
    assert (restarted.role, restarted.restart) == (ME, 1)
    assert gave_up == []


def test_what_a_role_dies_of_is_told_without_a_secret(
    stage: Stage, supervised: Callable[[Callable[[], Any]], list[Exception]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "planted-0123456789")
    words = "nats://me:hunter2hunter2@host refused planted-0123456789"
    roles = iter([Counting(raises=lambda asked: ValueError(words)), Counting(wanted=1)])
    supervised(lambda: next(roles))
    failed = eventually(lambda: stage.facts(RoleFailed))[0]
    assert failed.error == "ValueError('nats://(struck out)@host refused (struck out)')"
    assert "(struck out)" in failed.trace.head + failed.trace.tail
    assert "planted" not in str(failed)
    assert "hunter2" not in str(failed)


def test_a_role_that_dies_too_often_is_given_up_with_a_sentence(
    stage: Stage, supervised: Callable[[Callable[[], Any]], list[Exception]]
) -> None:
    gave_up = supervised(lambda: Counting(raises=lambda asked: ValueError("always")))
    (reason,) = eventually(lambda: tuple(gave_up))
    assert isinstance(reason, RoleGivenUp)
    assert str(reason) == (
        "agent-me keeps failing (ValueError('always')); the campaign stopped and loses nothing: mend it and run again"
    )
    assert len(stage.facts(RoleFailed)) == RESTARTS + 1


def test_a_failure_with_an_endless_message_is_recorded_all_the_same(
    stage: Stage, supervised: Callable[[Callable[[], Any]], list[Exception]]
) -> None:
    once = iter([Counting(raises=lambda asked: ValueError("x" * 10**6)), Counting()])
    gave_up = supervised(lambda: next(once))
    eventually(lambda: stage.facts(AnswerReceived))
    assert gave_up == []


def test_a_role_that_cannot_even_be_made_ends_the_process_instead_of_hanging_it(
    stage: Stage, supervised: Callable[[Callable[[], Any]], list[Exception]]
) -> None:
    def broken() -> Any:
        raise KeyError("no such policy")

    gave_up = supervised(broken)
    assert isinstance(eventually(lambda: tuple(gave_up))[0], KeyError)


@pytest.mark.parametrize("error", [LogLost("the connection broke"), FrameRefused("too large")])
def test_an_error_of_the_log_ends_everything_and_restarts_nothing(
    stage: Stage, supervised: Callable[[Callable[[], Any]], list[Exception]], error: Exception
) -> None:
    stage.log.broken = error
    gave_up = supervised(Counting)
    assert eventually(lambda: tuple(gave_up)) == (error,)
    assert stage.facts(RoleFailed) == []


class Breaking(MemoryLog):
    """A log whose following ends with an error."""

    error: Exception = LogLost("the server is gone")

    def follow(self, after: int = 0, subject: str = ">") -> Any:
        held, error = tuple(self.read(after, subject)), self.error

        class Follower:
            def __iter__(self) -> Iterator[Recorded]:
                yield from held
                raise error

            def stop(self) -> None:
                """It has ended."""

        return Follower()


@pytest.mark.parametrize("error", [LogLost("the server is gone"), ZeroDivisionError("a bug in the reader")])
def test_a_feed_that_cannot_follow_tells_everybody_who_asks(error: Exception, tale: Chronicle) -> None:
    log = Breaking("tale")
    log.error = error
    log.restore(tale.log.read())
    feed = Feed(log)
    told = threading.Event()
    feed.listen(told.set)
    feed.start()
    assert told.wait(20)
    with pytest.raises(LogLost):
        eventually(lambda: feed.wait_for(99))
    with pytest.raises(LogLost):
        feed.since(0)


def test_a_frame_that_is_acknowledged_and_never_comes_is_a_lost_log(
    tale: Chronicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PATIENCE", 0.05)
    feed = Feed(tale.log)
    feed.start()
    with pytest.raises(LogLost, match="position 9 was acknowledged and did not arrive"):
        feed.wait_for(9)
    feed.stop()


@pytest.mark.parametrize("kept", [3, None])
def test_a_role_that_is_far_behind_reads_what_the_feed_has_forgotten_from_the_log(
    tale: Chronicle, kept: int | None
) -> None:
    for pooling in ("max", "last", "mean"):
        tale.queues(tale.proposes("a", pooling=pooling))
    feed = Feed(tale.log, kept=kept)
    feed.start()
    last = tale.log.last()
    feed.wait_for(last)
    for after in range(last + 1):
        assert [recorded.sequence for recorded in feed.since(after)] == list(range(after + 1, last + 1))
    feed.stop()


def test_nobody_who_listens_is_forgotten_however_many_begin_at_once(tale: Chronicle) -> None:
    feed = Feed(tale.log)
    heard: set[int] = set()
    barrier = threading.Barrier(16)

    def listen(number: int) -> None:
        barrier.wait(20)
        for turn in range(200):
            feed.listen(lambda who=number * 1000 + turn: heard.add(who))  # type: ignore[misc] # a default binds the number

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(listen, range(16)))
    feed.tick()
    assert len(heard) == 16 * 200


class Direct:
    """A feed that has seen what it was told it has."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.through = 10**9

    def since(self, after: int) -> list[Recorded]:
        return [recorded for recorded in self._log.read(after) if recorded.sequence <= self.through]

    def wait_for(self, sequence: int) -> None:
        self.through = max(self.through, sequence)


def pen(tale: Chronicle, author: str) -> tuple[Pen, Direct]:
    direct = Direct(tale.log)
    return Pen(tale.log, direct, author, lambda: tale.at), direct  # type: ignore[arg-type] # a feed's two verbs


def test_a_pen_numbers_its_frames_from_what_the_log_holds_of_its_author(tale: Chronicle) -> None:
    tale.joins("a")
    mine, _ = pen(tale, "agent-a")
    mine.catch_up()
    mine.write(Decision("cycle", "c-1", (CycleStarted(cycle="c-1", agent="a", key=1),)))
    assert [recorded.id for recorded in tale.log.read()][-2:] == ["agent-a:1", "agent-a:2"]


def test_a_zombies_word_under_a_lease_that_was_taken_back_is_refused(tale: Chronicle) -> None:
    """The worker has not seen the revocation; the fence of its pack has."""
    experiment = tale.queues(tale.proposes("a"))
    pack = tale.assigns(experiment)
    tale.starts(experiment)
    zombie, direct = pen(tale, "worker-cpu0-a")
    direct.through = tale.log.last()
    zombie.catch_up()
    tale.loses("worker-cpu0-a")
    tale.revokes(experiment)
    before = tale.log.last()
    failed = Failed(experiment=experiment, attempt=1, kind="crashed", step=0, trace=Text(head=""), gpu_seconds=1.0)
    direct.through = before - 2
    assert zombie.write(Decision("pack", pack, (failed,), lease=pack)) is None
    assert tale.log.last() == before


def test_of_two_pens_of_one_author_the_second_to_write_learns_what_the_first_wrote(tale: Chronicle) -> None:
    tale.joins("a")
    one, _ = pen(tale, "agent-a")
    other, late = pen(tale, "agent-a")
    one.catch_up()
    other.catch_up()
    started = CycleStarted(cycle="c-1", agent="a", key=1)
    sequence = one.write(Decision("cycle", "c-1", (started,)))
    late.through = tale.log.last() - 1
    assert other.write(Decision("cycle", "c-1", (started,))) is None
    assert [recorded.sequence for recorded in other.catch_up()] == [sequence]


def test_a_frame_carries_the_clock_and_what_its_author_had_folded(tale: Chronicle) -> None:
    tale.joins("a")
    mine, _ = pen(tale, "agent-a")
    mine.catch_up()
    tale.waits(100)
    mine.write(Decision("cycle", "c-1", (CycleStarted(cycle="c-1", agent="a", key=1),)))
    fact = tuple(tale.log.read())[-1].facts[0]
    assert (fact.at, fact.through) == (tale.at, 2)


def test_the_memory_log_raises_a_conflict_where_a_pen_returns_none(tale: Chronicle) -> None:
    """The premise of the tests above: without the pen, the same append raises."""
    subject = subjects.subject("tale", "cycle", "c-1", "agent-a")
    frame = Frame(subject, "agent-a:1", (CycleStarted(cycle="c-1", agent="a", key=1),))
    with pytest.raises(Conflict):
        tale.log.append(frame, expecting=Fence(subjects.own("tale", "agent-a"), 7))


class Tiring(Counting):
    """A role that waits for nothing it has begun once the campaign is paused."""

    def obsolete(self, known: Known, underway: frozenset[str]) -> frozenset[str]:
        return underway if known.ledger.paused is not None else frozenset()


class Dropping(Answering):
    """Hands that can be made to drop what they do; they count how often."""

    def __init__(self, log: MemoryLog) -> None:
        self.freed = threading.Event()
        self.dropped = 0
        super().__init__(log, free=self.freed)

    def interrupt(self) -> None:
        self.dropped += 1
        self.freed.set()


def test_hands_are_interrupted_once_when_nobody_waits_for_what_they_do(stage: Stage) -> None:
    hands, role = Dropping(stage.log), Tiring()
    stage.shell(role, hands)
    eventually(lambda: hands.held)
    assert hands.dropped == 0
    stage.tale.says("person-x", "campaign", "declared", CampaignPaused(reason=""))
    eventually(lambda: stage.facts(AnswerReceived))
    stage.tale.says("person-x", "campaign", "declared", CampaignPaused(reason="still"))
    eventually(lambda: len(role.news) > 4)
    assert hands.dropped == 1


def test_an_actor_that_does_not_end_keeps_no_other_from_ending() -> None:
    blocked, busy = threading.Event(), threading.Event()

    class Stuck(pykka.ThreadingActor):
        def on_receive(self, message: object) -> None:
            busy.set()
            blocked.wait(60)

    older, stuck = pykka.ThreadingActor.start(), Stuck.start()
    stuck.tell("work")
    busy.wait(60)
    stop_everybody(0.05)
    assert not older.is_alive()
    assert stuck.is_alive()
    blocked.set()
    stop_everybody(20)
    assert not stuck.is_alive()
