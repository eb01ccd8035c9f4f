"""The benches of one campaign on one machine: what each is told, where it trains, and the worker that asks it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from actors import tasks
from actors.benches.child import Child, Place
from actors.benches.setups import Setup
from actors.campaign import Campaign
from actors.errors import BenchBroken
from actors.feed import Feed
from actors.hands import BenchHands, Hands
from actors.orders import Described, Epoch, Progress
from actors.pen import wall_clock
from actors.repair.copies import Copies
from actors.repair.workshop import COPIES, Workshop
from actors.role import Role
from actors.running.opening import task_folder
from actors.running.voices import Voices
from actors.shell import Died, Hear, Reference, Shell, hears_nothing
from actors.supervisor import Make
from actors.worker import Worker
from events import folder as folders
from events.blobs import Blobs


class Benches:
    """Makes the benches of a campaign whose folder, or a copy of what they need of it, is here.

    Args:
        blobs: where long texts lie.
        pulse: takes every epoch that a bench reports.
    """

    def __init__(
        self,
        campaign: Campaign,
        folder: folders.Campaign,
        voices: Voices,
        feed: Feed,
        blobs: Blobs,
        *,
        pulse: Callable[[Epoch | Progress], None],
    ) -> None:
        self._campaign = campaign
        self._folder = folder
        self._voices = voices
        self._feed = feed
        self._pulse = pulse
        self._blobs = blobs
        self._children: list[Child] = []
        self._workshop = Workshop(folder.path / COPIES)
        self._copies = Copies(self._workshop, self._blobs, feed)

    def setup(self, name: str, device: str) -> Setup:
        """Return what a bench of this campaign is told."""
        memory = self._campaign.workers.memory
        return Setup(
            worker=name,
            device=device,
            task=str(task_folder(self._folder)),
            cache=str(self._folder.features),
            checkpoints=str(self._folder.checkpoints),
            backbones=self._campaign.backbones,
            memory=memory * 2**20 if memory is not None else None,
            **msgspec.structs.asdict(self._campaign.network),
            **tasks.told(self._campaign.task),
        )

    def child(self, name: str, device: str) -> Child:
        """Return a bench that is not started yet; it trains with what is adopted by now until it is moved.

        Raises:
            CampaignError: the adopted copy is gone and cannot be made.
        """
        now = self._copies.current()
        return self._bench(name, device, lambda: now)

    def close(self) -> None:
        """End every bench that was made here."""
        for child in self._children:
            child.close()

    @property
    def logs(self) -> Path:
        """The folder of operational logs."""
        return self._folder.path / "logs"

    def worker(self, author: str, device: str, child: Child, ready: Described, *, life: int = 0) -> Make:
        """Return how to start the shell of a worker whose bench has described itself; see `Worker` for its life."""
        role = Worker(
            author,
            device=device,
            lanes=ready.lanes,
            platform=ready.platform,
            instrument=ready.instrument,
            blobs=self._blobs,
            vetted=True,
            life=life,
        )
        waiting = [child]

        def hands() -> Hands:
            return self._hands(waiting.pop() if waiting else self.child(author, device))

        return self._make(lambda: role, hands)

    def _hands(self, child: Child) -> Hands:
        return BenchHands(child, copies=self._copies.of)

    def _bench(self, name: str, device: str, place: Place) -> Child:
        child = Child(self.setup(name, device), self.logs / f"{name}.err", self._pulse, place=place)
        self._children.append(child)
        return child

    def _make(self, role: Callable[[], Role], hands: Callable[[], Hands], hear: Hear = hears_nothing) -> Make:
        def start(died: Callable[[Died], None]) -> Reference:
            speaker = role()
            log = self._voices.of(speaker.author)
            return Shell.start(speaker, hands(), log, self._feed, wall_clock, hear=hear, died=died)

        return start


def described(child: Child) -> Described:
    """Return how a bench describes itself; raises `BenchBroken` where it cannot train."""
    answer = child.describe()
    if not isinstance(answer, Described):
        raise BenchBroken(f"a bench cannot train: {answer.reason.strip().splitlines()[-1]}")
    return answer


def workers(names: dict[str, str], first: Child, benches: Benches) -> tuple[dict[str, Make], Described]:
    """Have a bench for each device, all at once, and return how to start their workers, and how one describes itself.

    Where no device of this machine trains, the first says under which instrument those of others must, and ends.

    Args:
        names: of the workers, with their devices.
        first: the bench of the first of them.
    """
    more = [benches.child(name, device) for name, device in tuple(names.items())[1:]]
    children = [first, *more]
    with ThreadPoolExecutor(len(children)) as pool:
        told = list(pool.map(described, children))
    if not names:
        first.close()
    rows = zip(names.items(), children, told, strict=False)
    return {name: benches.worker(name, device, child, one) for (name, device), child, one in rows}, told[0]
