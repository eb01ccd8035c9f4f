"""What canaries on made data saw, kept for each state of this room, its platform and seed: all that decides it.

Nothing is kept of a room that was refused. Beside the compiled loops, in the user's cache folder.
"""

import contextlib
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from kernels import instrument
from kernels.canaries.canary import Canary
from kernels.files import replacing
from kernels.operations import compiled


def recall(device: str, seed: int) -> tuple[Canary, ...] | None:
    """What they saw the last time, None where nothing is kept or it cannot be read."""
    try:
        return tuple(Canary(**held) for held in json.loads(_path(device, seed).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep(device: str, seed: int, found: tuple[Canary, ...]) -> None:
    """Keeps what they saw; without a folder to write to, nothing is kept."""
    path = _path(device, seed)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            partial.write_text(json.dumps([asdict(canary) for canary in found]), encoding="utf-8")


def _path(device: str, seed: int) -> Path:
    state = [instrument.source(), instrument.platform(device), seed]
    digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
    return compiled.cache() / f"canaries-{digest[:32]}.json"
