"""Who may look on while a run is trained: told what each stage has made, on its way to the next."""

from typing import Literal, Protocol

from torch import Tensor

Moment = Literal["parameters", "plan", "batch", "forward", "loss", "gradient", "update", "validation", "test"]


class Watch(Protocol):
    """Called with what was made at a moment, by name, lanes first (a plan: steps first, then lanes).

    parameters: flat. plan: clips, partners, shares, rates, progress. batch: x, labels, others, shares, mask, for each
    part of the batch. forward: logits. loss: losses, of each clip. gradient: gradient, of the whole batch. update:
    flat. validation and test: scores, with the flat parameters and the progress that they were made with.

    The tensors are the training's own, which changes some of them later: who keeps one copies it.
    """

    def __call__(self, moment: Moment, **made: Tensor) -> None:
        """Looks at what was made."""


def nobody(moment: Moment, **made: Tensor) -> None:
    """Looks away."""
