"""What a bench is told before its first order."""

from __future__ import annotations

import msgspec


class Setup(msgspec.Struct, frozen=True):
    """A bench's folders, device, network and task.

    Attributes:
        memory: bytes that it may take, None for all there is.
        program: the command line of a task that is a script, and
        inputs: the files that give its numbers their meaning.
    """

    worker: str
    device: str
    task: str
    cache: str
    checkpoints: str
    backbones: tuple[str, ...]
    width: int
    layers: int
    heads: int
    memory: int | None = None
    program: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
