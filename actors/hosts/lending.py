"""Lending: a machine gives its devices to a campaign that runs elsewhere, for as long as nobody tells it to stop.

One process, any number of sittings: each begins with a connection, takes what it needs to know from the log alone, and
ends when the campaign's runner leaves, the connection breaks, or a person stops it. Only files outlive one: what was
under way when a connection broke is taken back by the scheduler and begun again.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from actors.errors import CampaignError
from actors.hosts.sitting import Ending, Lent, Sitting
from actors.hosts.supplies import kept
from actors.running import logbook
from actors.running.runner import GRACE, Request
from events.errors import CampaignHeld, CampaignUnknown, LogLost
from events.wire import jetstream
from events.wire.credentials import Credential

LOOK = 0.2
"""Seconds between two looks at the state of things."""

SLOWEST = 10.0
"""Seconds between two tries to reach a server that does not answer; the first follow one another faster."""

NOTICED = 90.0
"""Seconds in which a server has noticed that a connection is gone."""


class Wishes:
    """What a person asked of this process: nothing, a clean end, or to leave at once."""

    def __init__(self) -> None:
        self._many = 0
        self._deadline = float("inf")

    def ask(self) -> None:
        """Ask for an end, from any thread or signal; asked twice, running packs are left at once."""
        self._many += 1
        if self._many == 1:
            self._deadline = time.monotonic() + GRACE

    @property
    def now(self) -> Request | None:
        """What is wanted by now."""
        if self._many > 1 or time.monotonic() > self._deadline:
            return "leaving"
        return "stopping" if self._many else None

    @contextlib.contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Take Ctrl-C and SIGTERM for a wish while the context lasts."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = (signal.SIGINT, signal.SIGTERM)
        before = {name: signal.signal(name, lambda *_: self.ask()) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


class Lending:
    """Lends devices to one campaign until it is closed or a person stops it.

    Args:
        credential: where the campaign's server is, and who asks.
        campaign: its name; None for the only one on that server.
        say: takes each sentence that a person reads.
    """

    def __init__(
        self,
        credential: Credential,
        campaign: str | None,
        lent: Lent,
        *,
        say: Callable[[str], None] = print,
    ) -> None:
        self._credential = credential
        self._campaign = campaign
        self._lent = lent
        self._say = say
        self._wishes = Wishes()
        self._said: str | None = None
        self._served = time.monotonic()
        self._held: float | None = None

    def run(self) -> Ending:
        """Lend, and return why it ended.

        Raises:
            CampaignError: this machine cannot train for the campaign, or nobody came within its patience.
            LogError: the server refuses it.
        """
        wait = 0.1
        with self._wishes.heeding_signals():
            while self._wishes.now is None:
                try:
                    ending = self._sit()
                except LogLost as lost:
                    self._say_once(f"{lost}; trying again")
                    ending, wait = None, min(wait * 2, SLOWEST)
                except CampaignHeld as held:
                    self._bear(held)
                    ending = None
                else:
                    wait = 0.1
                if ending is not None and ending != "left alone":
                    return ending
                self._rest(wait)
        return "stopped"

    def _sit(self) -> Ending:
        if (name := self._campaign or _only(self._credential)) is None:
            self._say_once(f"{self._credential.url} holds no campaign yet; waiting for one")
            return "left alone"
        with jetstream.connect(self._credential, name) as log:
            sitting = Sitting(log, self._lent, self._wishes, say=self._say_once, look=self._look)
            try:
                return sitting.hold()
            except LogLost:
                if sitting.over:
                    return "closed"
                raise
            finally:
                if sitting.served:
                    self._served, self._said, self._held = time.monotonic(), None, None

    def _bear(self, held: CampaignHeld) -> None:
        """Wait for a holder of this machine's name: a connection that broke is noticed within a minute."""
        self._held = self._held or time.monotonic()
        own = held.is_by(os.getpid(), socket.gethostname())
        if not own and time.monotonic() - self._held > NOTICED:
            raise held
        self._say_once(f"waiting: {held}")

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._wishes.now is None:
            self._look()

    def _look(self) -> None:
        """Let a moment pass while nobody runs the campaign; raises `CampaignError` when patience is over."""
        patience = self._lent.patience
        if patience is not None and time.monotonic() - self._served > patience:
            raise CampaignError(f"nobody took these devices for {patience:g} seconds")
        time.sleep(LOOK)

    def _say_once(self, sentence: str) -> None:
        if sentence != self._said:
            self._say(sentence)
        self._said = sentence


def lend(credential: Credential, campaign: str | None, lent: Lent, *, headless: bool) -> int:
    """Lend devices as a person typed it, and say why it ended; see `Lending`."""
    logbook.open_logbook(kept(lent.cache) / "worker.jsonl", terminal=headless)
    ending = Lending(credential, campaign, lent).run()
    print({"closed": "the campaign is closed; these devices are free"}.get(ending, ending))
    return 0


def wanted(devices: str | None) -> tuple[str, ...]:
    """Return the devices that a person means: how many, or which by name; by default every GPU, or a worker a core.

    Raises:
        CampaignError: it is neither.
    """
    there = _there()
    if devices is None:
        return there
    if devices.isdigit() and int(devices) > 0:
        many = int(devices)
        if there[0] != "cpu" and many > len(there):
            raise CampaignError(f"this machine has {len(there)} GPUs, not {many}")
        return there[:many] if there[0] != "cpu" else ("cpu",) * many
    names = tuple(devices.split(","))
    if not all(name == "cpu" or re.fullmatch(r"cuda:\d+", name) for name in names):
        raise CampaignError(f"devices are a number, or names such as cpu or cuda:0,cuda:1, not {devices}")
    return names


def _there() -> tuple[str, ...]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        many = len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    else:
        many = sum(bool(re.fullmatch(r"nvidia\d+", path.name)) for path in Path("/dev").iterdir())
    return tuple(f"cuda:{number}" for number in range(many)) or ("cpu",) * (os.cpu_count() or 1)


def _only(credential: Credential) -> str | None:
    """Return the one campaign of a server, None while it has none; raises `CampaignUnknown` where there are several."""
    names = jetstream.campaigns(credential)
    if len(names) > 1:
        raise CampaignUnknown(f"{credential.url} holds {', '.join(names)}: say --campaign NAME")
    return names[0] if names else None
