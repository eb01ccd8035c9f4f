"""One sitting of a machine that lends devices: from a connected log to the last word of its workers."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import msgspec

from actors.benches import verifying
from actors.benches.child import Child
from actors.campaign import Campaign, parse
from actors.errors import CampaignError
from actors.feed import Feed
from actors.hands import Hands
from actors.hosts.sharing import WORK, Call
from actors.hosts.supplies import FarBlobs, FarHands, Supplies, cache
from actors.judgement.adoption import SHORT
from actors.orders import Described, Epoch, Progress
from actors.role import Known
from actors.running.benches import Benches, described
from actors.running.runner import Request
from actors.running.voices import Choir
from actors.shell import Died, Reference, tell
from actors.supervisor import stop_everybody
from actors.vitals import Heart
from events import subjects
from events.blobs import Blobs
from events.envelope import Text
from events.errors import LogError, LogLost
from events.facts import CampaignOpened, CampaignReopened, FilesShared
from events.folder import Campaign as Folder
from events.wire import invitations
from events.wire.jetstream import JetStreamLog
from events.wire.lenders import lending
from events.wire.objects import Objects
from replay.fleet import Worker as Device

LOOK = 0.2
"""Seconds between two looks at the state of things."""

ABSENT = 5.0
"""Seconds without a call after which the runner counts as away."""

NAMED = 4
"""Parts in which two instruments differ that are told by name."""

Ending = Literal["closed", "stopped", "left alone"]


class InstrumentDiffers(CampaignError):
    """This machine would train under another instrument than the campaign's; it gets no work."""

    exit_code = 2


class Lent(NamedTuple):
    """What a machine lends, and how.

    Attributes:
        devices: such as `cpu` or `cuda:0`, one worker each.
        cache: where files are kept; None for the user's cache folder.
        shared: the campaign's folder as this machine sees it; files are then taken from there.
        patience: seconds without a server or a runner after which it gives up; None for never.
    """

    devices: tuple[str, ...]
    cache: Path | None = None
    shared: Path | None = None
    patience: float | None = None


class Asked(Protocol):
    """What a person wants of this process."""

    @property
    def now(self) -> Request | None:
        """What is wanted by now."""


class _FarBenches(Benches):
    """Benches whose weights go to the campaign's host."""

    def __init__(
        self,
        campaign: Campaign,
        folder: Folder,
        log: JetStreamLog,
        feed: Feed,
        blobs: Blobs,
        *,
        pulse: Callable[[Epoch | Progress], None],
    ) -> None:
        super().__init__(campaign, folder, Choir(log, {}), feed, blobs, pulse=pulse)
        self._returns = Objects(log.connection, subjects.returns(log.campaign))

    def _hands(self, child: Child) -> Hands:
        return FarHands(child, self._copies, self._returns, self._folder)


class Sitting:
    """See the module.

    Args:
        say: takes each sentence that a person reads.
        look: called again and again while nobody runs the campaign; may raise to end the sitting.

    Attributes:
        served: whether its workers joined.
    """

    def __init__(
        self,
        log: JetStreamLog,
        lent: Lent,
        wishes: Asked,
        *,
        say: Callable[[str], None],
        look: Callable[[], None],
    ) -> None:
        self._log = log
        self._lent = lent
        self._wishes = wishes
        self._say = say
        self._look = look
        self._known = Known()
        self._called: tuple[str, float] = ("", float("-inf"))
        self._lost: BaseException | None = None
        self.served = False

    @property
    def over(self) -> bool:
        """Whether the search is closed, as far as is known here."""
        return self._known.ledger.closed is not None

    def hold(self) -> Ending:
        """Wait for the runner, get ready, work, and return why the sitting ended.

        Raises:
            InstrumentDiffers: nothing was joined, or everything was left.
            CampaignError: this machine cannot train for the campaign.
            LogError: the log was lost, or refuses this machine.
        """
        feed = Feed(self._log)
        feed.start()
        user = self._log.connection.credential.user
        alone = lending(self._log.connection, self._log.campaign, str(user)) if invitations.is_invited(user) else None
        end = self._log.subscribe_calls(self._hear)
        try:
            with alone or contextlib.nullcontext():
                if (ending := self._wait(feed)) is not None:
                    return ending
                return self._lend(feed)
        except LogLost:
            # The server of a campaign that has just been closed is gone with its runner, before all was read here.
            self._known.advance(feed.came(self._known.through))
            raise
        finally:
            with contextlib.suppress(LogError):
                end()
            feed.stop()

    def _hear(self, payload: bytes) -> None:
        with contextlib.suppress(msgspec.MsgspecError):
            self._called = (msgspec.json.decode(payload, type=Call).calling, time.monotonic())

    def _wait(self, feed: Feed) -> Ending | None:
        """Wait until the campaign's runner calls, and return None; or return why it never will."""
        feed.wait_for(self._log.last())
        while True:
            self._known.advance(feed.since(self._known.through))
            if self.over:
                return "closed"
            if self._wishes.now is not None:
                return "stopped"
            calling, at = self._called
            if calling == "here" and time.monotonic() - at < ABSENT and self._known.ledger.campaign:
                return None
            self._say(f"campaign {self._log.campaign} is not being run now; waiting for its runner")
            self._look()

    def _lend(self, feed: Feed) -> Ending:
        life = self._known.through
        folder, campaign, blobs = self._supplied(feed)
        benches = _FarBenches(campaign, folder, self._log, feed, blobs, pulse=self._pulse)
        try:
            names = self._names()
            children = [benches.child(name, device) for name, device in zip(names, self._lent.devices, strict=True)]
            with ThreadPoolExecutor(len(children)) as pool:
                ready = list(pool.map(described, children))
            self._compare(ready[0])
            roster: dict[str, Reference] = {}
            rows = zip(names, self._lent.devices, children, ready, strict=True)
            for name, device, child, one in rows:
                roster[name] = benches.worker(name, device, child, one, life=life)(self._died)
            self._say(f"lending {', '.join(self._lent.devices)} to campaign {campaign.name} as {', '.join(names)}")
            self.served = True
            return self._work(feed, roster, ready[0])
        finally:
            benches.close()

    def _work(self, feed: Feed, roster: dict[str, Reference], ready: Described) -> Ending:
        heart = Heart(self._log, lambda: [name for name in roster if roster[name].is_alive()], feed.tick)
        heart.start()
        told: Request | None = None
        try:
            while True:
                if self._lost is not None:
                    raise self._lost
                self._known.advance(feed.since(self._known.through))
                differs = self._differs(roster, ready)
                if (wish := self._wish(differs=differs)) != told and wish is not None:
                    for shell in roster.values():
                        tell(shell, wish)
                    told = wish
                if (self.over or told is not None) and self._retired(roster):
                    return self._ending(ready, differs=differs)
                time.sleep(LOOK)
        finally:
            heart.stop()
            stop_everybody(20.0)

    def _wish(self, *, differs: bool) -> Request | None:
        wanted = {self._wishes.now, self._called[0], "stopping" if differs else None}
        return "leaving" if "leaving" in wanted else "stopping" if "stopping" in wanted else None

    def _ending(self, ready: Described, *, differs: bool) -> Ending:
        if self.over:
            return "closed"
        if self._wishes.now is not None:
            return "stopped"
        if differs:
            self._compare(ready)
        return "left alone"

    def _differs(self, roster: dict[str, Reference], ready: Described) -> bool:
        """Say whether the campaign's runner came back under another instrument than these devices train under."""
        own = self._known.instruments.own
        return self._known.repairs.instrument is None and own not in (None, ready.instrument)

    def _retired(self, roster: dict[str, Reference]) -> bool:
        mine: list[Device | None] = [self._known.fleet.workers.get(name) for name in roster]
        return all(one is None or (one.status == "retired" and one.pack is None) for one in mine)

    def _supplied(self, feed: Feed) -> tuple[Folder, Campaign, Blobs]:
        """Return the folder in which all that training needs lies now, the campaign, and its long texts."""
        opening = next(iter(self._log.read()))
        frames = feed.since(0)
        if self._lent.shared is not None:
            folder = Folder(self._lent.shared)
            blobs = Blobs(folder.blobs)
        else:
            folder = cache(self._lent.cache, self._log.campaign, opening.payload)
            blobs = FarBlobs(folder.blobs, self._log)
            shared = next((f for r in reversed(frames) for f in reversed(r.facts) if isinstance(f, FilesShared)), None)
            if shared is None:
                raise CampaignError(
                    f"campaign {self._log.campaign} shares no files with other machines: run it with --listen or "
                    "--connect, or name its folder, as this machine sees it, with --shared"
                )
            fetched = Supplies(self._log, folder).fetch(shared, lambda _: None)
            self._say(f"{fetched} of {len(shared.files)} files fetched, verified, into {folder.path}")
            # A task's own files are found under the paths that the campaign file calls them by.
            (folder.path / WORK).mkdir(parents=True, exist_ok=True)
            os.chdir(folder.path / WORK)
        texts = [_file(fact) for recorded in frames for fact in recorded.facts]
        text = [found for found in texts if found is not None][-1]
        return folder, parse(blobs.whole(text), file=f"the file of campaign {self._log.campaign}"), blobs

    def _names(self) -> list[str]:
        user = self._log.connection.credential.user
        if user is not None and invitations.is_invited(user):
            return [invitations.author(user, number) for number in range(len(self._lent.devices))]
        host = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname())[:24].strip("-")
        fresh = secrets.token_hex(3)
        return [f"worker-{host}-{d.replace(':', '')}-{fresh}{n}" for n, d in enumerate(self._lent.devices)]

    def _compare(self, ready: Described) -> None:
        """Let an instrument pass that is the campaign's; raises `InstrumentDiffers`."""
        own = verifying.own(self._known)
        if own in (None, ready.instrument):
            return
        judged = self._known.instruments.all.get(str(own))
        before = judged.parts if judged is not None else {}
        differ = sorted(n for n in {*before, *ready.parts} if before.get(n) != ready.parts.get(n)) if before else []
        more = f" and {len(differ) - NAMED} more" if len(differ) > NAMED else ""
        which = f", which differ in {', '.join(differ[:NAMED])}{more}" if differ else ""
        raise InstrumentDiffers(
            f"this machine would train under instrument {ready.instrument[:SHORT]} and campaign {self._log.campaign} "
            f"trains under {str(own)[:SHORT]}{which}: it gets no work; install the version of Myriad that runs it"
        )

    def _pulse(self, pulse: Epoch | Progress) -> None:
        if isinstance(pulse, Epoch):
            self._log.publish_pulse(pulse.worker, msgspec.json.encode(pulse))

    def _died(self, death: Died) -> None:
        lost = death.error
        if not isinstance(lost, LogError | CampaignError):
            lost = CampaignError(f"{death.author} failed and left its work to others: {lost!r}")
        self._lost = self._lost or lost


def _file(fact: object) -> Text | None:
    return fact.file if isinstance(fact, CampaignOpened | CampaignReopened) else None
