"""Workers' pulses as the screen reads them: never recorded, so nothing but a lane's epoch may come from one."""

from __future__ import annotations

from typing import Any

import msgspec


class Beat(msgspec.Struct, frozen=True, tag="beat"):
    """A worker lives."""

    worker: str


class Epoch(msgspec.Struct, frozen=True, tag="epoch"):
    """Where a run is: epochs done of all, then training loss (None where not finite) and validation AP after the last.

    Attributes:
        epoch: from 1 to `epochs`.
    """

    worker: str
    experiment: str
    epoch: int
    epochs: int
    loss: float | None
    validation: float


_decoder: Any = msgspec.json.Decoder(Beat | Epoch)


def epoch_of(author: str, payload: bytes) -> Epoch | None:
    """Return the epoch that a pulse tells; None for a beat, another's name, or what this Myriad cannot read."""
    try:
        pulse = _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None
    return pulse if isinstance(pulse, Epoch) and pulse.worker == author else None
