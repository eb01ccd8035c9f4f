"""All canaries in order, on made data and on a campaign's own, and whether an instrument may train."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernels import datasets
from kernels.canaries import dimensions, keeping, laws, learning, made, partition, sameness
from kernels.canaries.canary import Canary
from kernels.canaries.dimensions import Laboratory
from kernels.errors import BadTask, KernelsError
from kernels.forward import Size

SIZE = Size(width=16, layers=2, heads=2)  # of the networks on made data: every part is there, and little of it
SEED = 1  # of an instrument's own canaries: the same instrument is always asked the same


@dataclass(frozen=True)
class Own:
    """A campaign's own task, looked at beside made data.

    Attributes:
        split: digest of the split that the campaign began with; empty where none is known.
    """

    folder: Path
    cache: Path
    backbones: Sequence[str]
    size: Size
    split: str = ""


def verdict(device: str, own: Own) -> tuple[Canary, ...]:
    """What an instrument's canaries say of it before it trains a campaign.

    Those on a campaign's own task are always run; those on made data once for each state of this room and platform.
    """
    found = keeping.recall(device, SEED)
    if found is None:
        found = tuple(canaries(device))
        if problem(found) is None:
            keeping.keep(device, SEED, found)
    return (*found, *_kept("split", "the task", lambda: of_task(own, SEED, device)))


def everything(device: str, own: Own | None = None, *, seed: int = SEED) -> Iterator[Canary]:
    """Every canary, run anew: on made data and, where one is given, on a campaign's own task."""
    yield from canaries(device, seed=seed)
    if own is not None:
        yield from _kept("split", "the task", lambda: of_task(own, seed, device))


def campaign(name: str) -> Own:
    """The task of a campaign by its folder, or by its name in the folder of all campaigns.

    Raises:
        BadTask: there is no such folder, or it has no features yet.
    """
    places = (Path(name), Path(os.environ.get("MYRIAD_HOME") or "campaigns") / name)
    folder = next((place for place in places if (place / "clips").is_dir()), places[-1])
    backbones = sorted(path.stem for path in (folder / "features").glob("*.json"))
    if not backbones:
        raise BadTask(folder, "holds no clips and features of a campaign; name another one, or run it first")
    return Own(folder / "clips", folder / "features", backbones, SIZE)


def canaries(device: str, *, seed: int = SEED) -> Iterator[Canary]:
    """Every canary on made data, the cheapest first."""
    configuration = dimensions.base(seed)
    with tempfile.TemporaryDirectory() as folder:
        yield from _kept("split", "made data", lambda: partition.made_canaries(made.world(Path(folder), seed)))
    yield from _kept("law", "plan", lambda: laws.canaries(seed, configuration, size=SIZE))
    values = made.mechanical(seed).train.values
    yield from _kept("sameness", "encoder", lambda: sameness.canaries(seed, values, size=SIZE, device=device))
    laboratory = Laboratory(seed, size=SIZE, device=device)
    yield from _kept("dimension", "wiring", lambda: dimensions.canaries(laboratory))
    yield from _kept("planted_signal", "training", lambda: learning.canaries(seed, size=SIZE, device=device))


def of_task(own: Own, seed: int, device: str) -> Iterator[Canary]:
    """The campaign's split and data, and its clips' scores by networks of its own size."""
    yield from partition.canaries(own.folder, own.cache, own.backbones, split=own.split)
    values = datasets.load(own.folder, own.cache, own.backbones[0]).train.values
    for canary in sameness.canaries(seed, values, size=own.size, device=device):
        yield Canary(
            canary.name, f"{canary.subject}, on {own.backbones[0]}", canary.seen, canary.allowed, canary.problem
        )


def _kept(name: str, subject: str, look: Callable[[], Iterator[Canary]]) -> Iterator[Canary]:
    """What a look finds; where it raises, that is what it found."""
    try:
        yield from look()
    except KernelsError as refused:
        yield Canary(name, subject, None, None, str(refused))
    except Exception as raised:  # noqa: BLE001 # whatever the instrument raises is the canary's finding
        yield Canary(name, subject, None, None, f"{type(raised).__name__}: {raised}")


def problem(found: Sequence[Canary]) -> str | None:
    """Why an instrument may not train, in one sentence; None where it may."""
    wrong = [canary for canary in found if canary.problem is not None]
    if not wrong:
        return None
    first = wrong[0]
    more = f", and {len(wrong) - 1} more canaries" if len(wrong) > 1 else ""
    return f"canary {first.name}, {first.subject}: {first.problem}{more}"
