"""A step put on tape: every operation that it sends to the device, to be sent again without the step's own code.

What a CUDA graph does, on any machine: the same operations on the same memory, in the same order, and nothing that the
host would decide anew. What a graph could not hold is refused while the tape runs.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

REFUSED = {
    "aten::_local_scalar_dense": "asks the device for a number",
    "aten::lift_fresh": "makes a tensor from numbers of the host",
    "aten::nonzero": "makes a tensor whose size the device decides",
}


class Tape(TorchDispatchMode):
    """Records while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any]] = []

    def __len__(self) -> int:
        """Return how many operations it holds."""
        return len(self._taken)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        """Run an operation and keep it with what it was given and what it gave."""
        if func._schema.name in REFUSED:
            raise AssertionError(f"{func} {REFUSED[func._schema.name]}")
        made = func(*args, **(kwargs or {}))
        self._taken.append(tree_map(_memory, (func, args, kwargs or {}, made)))
        return made

    @torch.no_grad()
    def replay(self) -> None:
        """Do all of it again, in the memory where it was done first."""
        for func, args, kwargs, made in self._taken:
            again = func(*args, **kwargs)
            given = {x.untyped_storage().data_ptr() for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
            for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                # What shares memory with what was given is a view, or was changed in place: it is done already.
                if isinstance(old, Tensor) and old.untyped_storage().data_ptr() not in given:
                    old.copy_(new)


def _memory(x: Any) -> Any:
    """A tensor as the place where it lies, without what led to it."""
    return x.detach() if isinstance(x, Tensor) else x


def taped(step: Callable[[], None]) -> Tape:
    """Take a step and record it."""
    tape = Tape()
    with tape:
        step()
    return tape


def refused(step: Callable[[], None]) -> str | None:
    """Say why a step cannot be captured; None when it can."""
    try:
        taped(step)
    except AssertionError as why:
        return str(why)
    return None
