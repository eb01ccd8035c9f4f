"""Where an adopted patch's copy lies, for every bench of a campaign; made anew from the log where it is gone."""

from __future__ import annotations

from pathlib import Path

from actors.benches.limits import MIB, Limits
from actors.errors import CampaignError
from actors.feed import Feed
from actors.judgement.adoption import SHORT
from actors.repair.patches import ROOM, PatchRefused
from actors.repair.workshop import Workshop
from events.blobs import Blobs
from replay.folds import Pass
from replay.repairs import Repairs, RepairsFold

ADOPTED = Limits(memory=0, file=4096 * MIB, files=4096)
"""Limits of a bench that trains with an adopted patch; how much memory any bench may take, the campaign file says."""


class Copies:
    """The adopted copies of one campaign, as its log tells of them."""

    def __init__(self, workshop: Workshop, blobs: Blobs, feed: Feed) -> None:
        self._workshop = workshop
        self._blobs = blobs
        self._feed = feed

    def current(self) -> tuple[Path | None, Limits | None]:
        """Return the folder of what everybody trains with, and a bench's limits; None for what is installed.

        Raises as `of` does.
        """
        adopted = self._repairs().adopted
        return self.of(adopted) if adopted is not None else (None, None)

    def of(self, patch: str) -> tuple[Path, Limits]:
        """Return the folder of a patch's copy, and the limits of a bench that trains with it.

        Raises:
            CampaignError: the copy is not there, and cannot be made of what is installed.
        """
        return self._made(self._repairs(), patch), ADOPTED

    def _made(self, repairs: Repairs, name: str) -> Path:
        place = self._workshop.place(name)
        # What is there was tried and adopted: it stays, whatever has been installed since.
        if (place / ROOM).is_dir():
            return place
        patch = repairs.patches[name]
        if patch.base is not None:
            self._made(repairs, patch.base)
        try:
            return self._workshop.make(name, self._blobs.whole(patch.diff), patch.base)
        except (PatchRefused, OSError) as error:
            raise CampaignError(f"patch {name[:SHORT]}, which is adopted, cannot be made again: {error}") from None

    def _repairs(self) -> Repairs:
        told: Pass[Repairs] = Pass(RepairsFold())
        told.advance(self._feed.since(0))
        repairs: Repairs = told.results()[0]
        return repairs
