"""The instrument of a recorded run, found again: what is installed, a patch's copy, or exactly what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from actors import tasks
from actors.benches.limits import Limits
from actors.benches.setups import Setup
from actors.campaign import Campaign, parse
from actors.errors import CampaignError
from actors.repair.copies import ADOPTED
from actors.repair.patches import ROOM, PatchRefused
from actors.repair.workshop import Workshop
from actors.running.opening import task_folder
from events.blobs import Blobs
from events.folder import Campaign as Folder
from kernels import instrument
from kernels.errors import KernelsError
from kernels.tasks import command
from replay.instruments import DIGITS, Instrument
from replay.repairs import Repairs

SHOWN = 12
"""Parts that a sentence names; the others are counted."""


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What would train: the copy of kernels/ and its limits, None for what is installed.

    Attributes:
        instrument: its digest, which the bench must confirm.
        differing: parts in which it is not the recorded one, in words; empty where it is.
    """

    instrument: str
    copy: Path | None = None
    limits: Limits | None = None
    differing: tuple[str, ...] = ()


def campaign_of(folder: Folder) -> Campaign:
    """Return the campaign file that a folder keeps.

    Raises:
        CampaignError: it is not there, as in an import without one, or cannot be used.
    """
    try:
        text = folder.file.read_text()
    except OSError as error:
        raise CampaignError(f"{folder.file} cannot be read: {error.strerror}; nothing can be trained again") from None
    return parse(text, file=str(folder.file))


def setup(campaign: Campaign, folder: Folder, *, device: str, checkpoints: Path) -> Setup:
    """Return what a bench is told that trains one run of a campaign again and keeps weights elsewhere."""
    memory = campaign.workers.memory
    return Setup(
        worker="rerun",
        device=device,
        task=str(task_folder(folder)),
        cache=str(folder.features),
        checkpoints=str(checkpoints),
        backbones=campaign.backbones,
        memory=memory * 2**20 if memory is not None else None,
        **msgspec.structs.asdict(campaign.network),
        **tasks.told(campaign.task),
    )


def rebuilt(
    campaign: Campaign, folder: Folder, wanted: Instrument, repairs: Repairs, *, today: Mapping[str, str], digest: str
) -> Rebuilt:
    """Return what comes nearest to a recorded instrument.

    Args:
        today: parts of what is installed, by name, and `digest` that of all of them.
    """
    if wanted.instrument == digest:
        return Rebuilt(instrument=digest)
    for patch in repairs.patches.values():
        if patch.instrument == wanted.instrument:
            return _patched(folder, repairs, patch.patch, wanted.instrument)
    return Rebuilt(instrument=digest, differing=_differing(wanted, today))


def current(folder: Folder, repairs: Repairs, wanted: str, *, digest: str) -> Rebuilt:
    """Return what everybody trains with now: the adopted patch's copy, else what is installed, with its digest."""
    name = repairs.adopted
    found = Rebuilt(instrument=digest) if name is None else _patched(folder, repairs, name, str(repairs.instrument))
    if found.instrument == wanted:
        return found
    told = f"instrument {wanted[:DIGITS]} then, {found.instrument[:DIGITS]} now"
    return msgspec.structs.replace(found, differing=(told,))


def installed(campaign: Campaign, folder: Folder) -> instrument.Instrument:
    """Return the instrument that is installed, with this campaign's features and split.

    Raises:
        CampaignError: features or clips are not here.
    """
    size = msgspec.structs.asdict(campaign.network)
    try:
        if campaign.task.kind == "command":
            program = command.Program(campaign.task.run, campaign.task.inputs)
            return instrument.Instrument(program.parts(), program.digest)
        return instrument.describe(task_folder(folder), folder.features, campaign.backbones, **size)
    except KernelsError as error:
        raise CampaignError(f"the instrument cannot be rebuilt: {error}") from None


def _patched(folder: Folder, repairs: Repairs, name: str, wanted: str) -> Rebuilt:
    workshop, blobs = Workshop(folder.path / "patches"), Blobs(folder.blobs)
    chain = [name]
    while (base := repairs.patches[chain[-1]].base) is not None:
        chain.append(base)
    for one in reversed(chain):
        if (workshop.place(one) / ROOM).is_dir():
            continue
        try:
            workshop.make(one, blobs.whole(repairs.patches[one].diff), repairs.patches[one].base)
        except (PatchRefused, OSError) as error:
            raise CampaignError(f"patch {one[:DIGITS]}, a part of that instrument, cannot be made: {error}") from None
    return Rebuilt(instrument=wanted, copy=workshop.place(name), limits=ADOPTED)


def _differing(wanted: Instrument, today: Mapping[str, str]) -> tuple[str, ...]:
    if not wanted.parts:
        return (f"the log does not say what {wanted.instrument[:DIGITS]} was made of: it was never verified",)
    found = []
    for name in sorted({*wanted.parts, *today}):
        before, now = wanted.parts.get(name), today.get(name)
        if before != now:
            was = f"was {before[:DIGITS]}" if before is not None else "was not there"
            found.append(f"{name} {was}, {f'is {now[:DIGITS]}' if now is not None else 'is missing'}")
    return tuple(found[:SHOWN] + ([f"{len(found) - SHOWN} more"] if len(found) > SHOWN else []))
