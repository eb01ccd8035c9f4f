"""A small campaign under faults: the real roles and pens, each with a view of the log, killed, cut off and lied to.

One thread, one turn at a time: a seed decides the campaign, who has the next turn and how runs end, a script what goes
wrong. Whoever dies begins anew from the log, as a supervisor or the next start of its process would have it. The
supervisor itself, which decides nothing about the search, is not here.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from actors.chaos.faults import LAST, Fault, Kind, Script, drawn
from actors.chaos.lives import Member
from actors.chaos.network import View, Wire
from actors.chaos.people import People, Person
from actors.chaos.troupe import SILENCE, Parts, Troupe
from actors.orders import Order, Result, Train
from actors.pen import Pen
from actors.role import Decision, News, Role
from events.envelope import Text
from events.errors import LogError
from events.facts import CampaignOpened, WorkerLost
from events.spaces import PAPER

START = 1_750_000_000_000_000
SECOND = 1_000_000

GRACE = 5 * SECOND
"""How long a process that was asked to stop waits for those who leave, beyond what its packs were given."""

LAGGING = 4
"""One turn of so many is taken by somebody who has not read the latest frames yet."""


class Killed(Exception):
    """A role's process ended at this very step."""


class _Due(NamedTuple):
    at: int
    number: int
    member: Member
    life: int
    result: Result


class Nemesis:
    """Plays one seed under one script.

    Attributes:
        wire: the log as the roles reach it.
        struck: how often each fault really changed something.
        performed: how often each order was carried out, by its kind and id.
        stuck: why the campaign did not come to its end, None when it did.
    """

    def __init__(self, seed: int, faults: Script, parts: Parts | None = None) -> None:
        self.seed = seed
        self.faults = faults
        self.struck: Counter[Kind] = Counter()
        self.performed: Counter[str] = Counter()
        self.stuck: str | None = None
        self.wire = Wire("ordeal", self.struck)
        self.now = START
        self.members: list[Member] = []
        self._parts = parts or Parts()
        self._troupe = Troupe(seed, self._parts)
        self._doings = self._troupe.doings()
        self._turn = self._hired = self._scheduled = 0
        self._due: list[_Due] = []
        self._stopping = self._leaving = 0
        self._quiet: set[Member] = set()
        self._unheard: dict[str, int] = {}
        self._open()
        for author, make in self._troupe.speakers().items():
            self._join(author, make)
        for _ in range(self._troupe.workers):
            self._hire()
        self._people = People(seed, self.wire, lambda: self.now, self._parts.person)

    def play(self) -> None:
        """Go on until nobody has anything to say and nothing is to come."""
        waiting = list(reversed(self.faults))
        for self._turn in range(LAST):
            while waiting and waiting[-1].turn <= self._turn:
                self._strike(waiting.pop())
            self._finish_due()
            self._hear_again()
            self._resume()
            self._listen(self._people.speaks(self._turn))
            if self._turn == self._troupe.instruments.renewed:
                self._troupe.instruments.renew()
                self._stop(self.now + GRACE)
            awake = [m for m in self.members if m.asleep <= self.now and m not in self._quiet]
            if awake:
                self._speak(awake[drawn(self.seed, "turn", self._turn) % len(awake)])
            elif not self._pass_time() and not self._listen(self._people.waits()):
                return
        self.stuck = f"it still talked after {LAST} turns"

    def _listen(self, person: Person | None) -> bool:
        """Let somebody say what they have to say; where they reopened the search, it is carried on anew."""
        if person is None:
            return False
        self._quiet.clear()
        if person.speak(self._turn) == "reopen":
            for member in tuple(self.members):
                self._vanish(member)
        return True

    def _open(self) -> None:
        text = self._troupe.file
        pen = Pen(self.wire, View(self.wire, self.struck), "person-ordeal", lambda: self.now)  # type: ignore[arg-type] # a log and a feed are the verbs that a pen uses
        file = Text(head=text, length=len(text))
        opened = CampaignOpened(
            campaign=self.wire.campaign, file=file, space=PAPER, seed=self.seed, repeats=self._troupe.repeats
        )
        pen.write(Decision("campaign", "opening", (opened,)))

    def _join(self, author: str, make: Callable[[], Role]) -> Member:
        member = Member(author, make)
        self.members.append(member)
        self._begin(member)
        return member

    def _hire(self) -> Member:
        self._hired += 1
        return self._join(f"worker-{self._hired}", self._troupe.worker(f"worker-{self._hired}"))

    def _begin(self, member: Member) -> None:
        """Start a life: nothing known, nothing under way."""
        member.life += 1
        member.role = member.make()
        member.known = member.role.initial()
        member.view = View(self.wire, self.struck)
        clock = lambda: self.now + member.offset  # noqa: E731 # one line, for this life
        member.pen = self._parts.pen(self.wire, member.view, member.author, clock)  # type: ignore[arg-type] # see _open
        member.results, member.underway, member.met, member.doom, member.hung = {}, {}, {}, None, False

    def _speak(self, member: Member) -> None:
        self.now += SECOND // 100
        current = member.view.opens(self.now, current=drawn(self.seed, "lag", self._turn) % LAGGING != 0)
        try:
            member.known.advance(member.pen.catch_up())
            decision = member.role.decide(member.known, self.now + member.offset, self._news(member))
            if decision is None:
                if current or member.view.blocked > self.now:
                    self._quiet.add(member)
                return
            self._write(member, decision)
        except (LogError, Killed):
            self._die(member)
        self._quiet.clear()

    def _write(self, member: Member, decision: Decision) -> None:
        doom, member.doom = member.doom, None
        if doom == "killed_before_writing":
            self.struck[doom] += 1
            raise Killed
        sequence = member.pen.write(decision)
        self._note(member, decision, sequence)
        if doom == "killed_after_writing":
            self.struck[doom] += 1
            raise Killed
        if sequence is not None:
            for order in decision.orders:
                self._carry_out(member, order)
            for settled in decision.settles:
                member.results.pop(settled, None)

    def _note(self, member: Member, decision: Decision, sequence: int | None) -> None:
        """Count what only shows when somebody writes."""
        if sequence is None and sum(other.author == member.author for other in self.members) > 1:
            self.struck["two_schedulers"] += 1
        lost = {fact.worker for fact in decision.facts if isinstance(fact, WorkerLost)}
        self.struck["lease_expired_alive"] += sum(m.author in lost and m.deaf > self.now for m in self.members)

    def _carry_out(self, member: Member, order: Order) -> None:
        self.performed[f"{type(order).__name__} {order.id}"] += 1
        member.underway[order.id] = order
        if member.hung and isinstance(order, Train):
            member.hung = False
            self.struck["bench_hung"] += 1
            seconds, result = self._doings.hangs(order)
        else:
            seconds, result = self._doings.perform(member.author, order)
        self._scheduled += 1
        heapq.heappush(self._due, _Due(self.now + int(seconds * SECOND), self._scheduled, member, member.life, result))

    def _pass_time(self) -> bool:
        """Go to the next moment at which somebody may have something to say; False when there is none."""
        coming = [due.at for due in self._due[:1]]
        coming += [at for member in self.members for at in (member.asleep, member.deaf, member.view.blocked)]
        coming += [at for member in self.members for at in member.rests()]
        coming += [self._leaving, self._leaving + GRACE]
        met = [at for member in self.members for at in member.met.values()]
        coming += [since + round(SILENCE * SECOND) + 1 for since in (*self._unheard.values(), *met)]
        coming = [at for at in coming if at > self.now]
        if not coming:
            return False
        self.now = min(coming)
        self._quiet.clear()
        return True

    def _finish_due(self) -> None:
        while self._due and self._due[0].at <= self.now:
            self._finish(heapq.heappop(self._due))
            self._quiet.clear()

    def _hear_again(self) -> None:
        """End what is over: silences, and views that stood still."""
        for member in self.members:
            if 0 < member.view.blocked <= self.now:
                member.view.blocked = 0
                self._quiet.discard(member)
            if member.deaf and member.deaf <= self.now:
                member.deaf = 0
                self._unheard.pop(member.author, None)

    def _resume(self) -> None:
        """End a process that was asked to stop, once everybody had time to leave, and start it again."""
        if self._stopping and self.now >= self._leaving + GRACE:
            self._stopping = self._leaving = 0
            for member in tuple(self.members):
                self._vanish(member)
            self._quiet.clear()

    def _finish(self, due: _Due) -> None:
        member = due.member
        if due.life != member.life:
            if not member.keeps:
                return
            self.struck["answer_after_the_crash"] += 1
            member.keeps = False
        member.underway.pop(due.result.id, None)
        member.results[due.result.id] = due.result

    def _news(self, member: Member) -> News:
        silences = member.silences(self.now, self._unheard) if member.author == "scheduler" else {}
        leaving = bool(self._stopping) and self.now >= self._leaving
        return News(
            member.results,
            frozenset(member.underway),
            silences,
            stopping=bool(self._stopping),
            leaving=leaving,
        )

    def _die(self, member: Member) -> None:
        """End a life; the next one begins after a pause, from the log."""
        self._begin(member)
        member.asleep = self.now + (1 + drawn(self.seed, "pause", self._turn) % 15) * SECOND

    def _vanish(self, member: Member) -> None:
        """End a process: a worker of another name takes the place of a worker; everybody else comes back."""
        if not member.works:
            self._die(member)
            return
        self.members.remove(member)
        member.life, member.keeps = 0, False
        self._unheard[member.author] = self.now
        self._die(self._hire())

    def _strike(self, fault: Fault) -> None:
        self._quiet.clear()
        if fault.kind in ("killed_before_writing", "killed_after_writing"):
            self._pick(fault).doom = fault.kind
            return
        strike: Callable[[Fault], None] = getattr(self, f"_let_{fault.kind}")
        strike(fault)

    def _let_worker_killed(self, fault: Fault) -> None:
        self.struck[fault.kind] += 1
        self._vanish(self._pick(fault, "worker"))

    def _let_role_killed(self, fault: Fault) -> None:
        self.struck[fault.kind] += 1
        self._die(self._pick(fault))

    def _let_bench_hung(self, fault: Fault) -> None:
        self._pick(fault, "worker").hung = True

    def _let_lease_expired_alive(self, fault: Fault) -> None:
        worker = self._pick(fault, "worker")
        # the closest races: its lease expires at the very moment at which its run ends
        ends = min((due.at for due in self._due if due.member is worker), default=0)
        since = self.now if fault.pick % 3 else max(self.now, ends - round(SILENCE * SECOND))
        self._unheard[worker.author] = since
        worker.deaf = since + round(SILENCE * SECOND) + self._until(fault) - self.now
        if fault.pick % 2:
            # cut off both ways: it goes on without knowing that it is thought lost
            worker.view.blocks(worker.deaf + SECOND)

    def _let_acknowledgement_lost(self, fault: Fault) -> None:
        authors = [*(member.author for member in self.members), *self._people.authors]
        self.wire.losing.add(authors[fault.pick % len(authors)])

    def _let_frame_delivered_twice(self, fault: Fault) -> None:
        self._pick(fault).view.twice = True

    def _let_frame_delivered_late(self, fault: Fault) -> None:
        self._pick(fault).view.late = True

    def _let_slow_reader(self, fault: Fault) -> None:
        self._pick(fault).view.blocks(self._until(fault))

    def _let_answer_after_the_crash(self, fault: Fault) -> None:
        busy = [member for member in self.members if member.underway]
        if busy:
            member = busy[fault.pick % len(busy)]
            self._die(member)
            member.keeps = True

    def _let_clock_jumped(self, fault: Fault) -> None:
        self.struck[fault.kind] += 1
        self._pick(fault).offset += (fault.pick % 200_001 - 100_000) * SECOND

    def _let_disk_full(self, fault: Fault) -> None:
        self.wire.full += 1 + fault.pick % 4

    def _let_server_restarted(self, fault: Fault) -> None:
        self.struck[fault.kind] += 1
        for member in tuple(self.members):
            self._vanish(member)

    def _let_two_schedulers(self, fault: Fault) -> None:
        self._join("scheduler", self._troupe.speakers()["scheduler"])

    def _let_stopped_and_resumed(self, fault: Fault) -> None:
        self.struck[fault.kind] += 1
        self._stop(self._until(fault))

    def _stop(self, leaving: int) -> None:
        """Ask everybody to stop; who has not left by then is to leave what still runs."""
        self._quiet.clear()
        self._stopping, self._leaving = self.now, leaving

    def _until(self, fault: Fault) -> int:
        return self.now + (1 + fault.pick % 40) * SECOND

    def _pick(self, fault: Fault, start: str = "") -> Member:
        those = [member for member in self.members if member.author.startswith(start)]
        return those[fault.pick % len(those)]
