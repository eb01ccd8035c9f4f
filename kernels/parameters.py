"""All lanes' parameters in one flat buffer: declared by name, initialised from each lane's seed, viewed by shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float32]
Law = Callable[[Floats], Floats]

ALIGNMENT = 64  # floats that a parameter and a lane start at a multiple of, so that every lane lies alike in memory
INITIAL_STREAM = 0x1217  # keeps initialisation apart from the other uses of a seed


@dataclass(frozen=True)
class Parameter:
    """One tensor of a lane: its start, first value, decay, and bounds on its values.

    The first value is mean + spread * normal, or law(normal) where there is one.
    """

    start: int
    shape: tuple[int, ...]
    mean: float
    spread: float
    decays: bool
    bounds: tuple[float, float]
    law: Law | None


class Blueprint:
    """Collects the parameters that a network's parts declare."""

    def __init__(self) -> None:
        self.parameters: dict[str, Parameter] = {}
        self.size = 0

    def declare(
        self,
        name: str,
        *shape: int,
        mean: float = 0.0,
        spread: float = 0.0,
        decays: bool = False,
        bounds: tuple[float, float] = (-float("inf"), float("inf")),
        law: Law | None = None,
    ) -> str:
        """Adds a parameter of a lane's `shape` and gives its name back; `law` makes first values of normal ones.

        Raises:
            ValueError: the name is taken.
        """
        if name in self.parameters:
            raise ValueError(f"parameter '{name}' is declared twice")
        self.parameters[name] = Parameter(self.size, shape, mean, spread, decays, bounds, law)
        self.size += -(-prod(shape) // ALIGNMENT) * ALIGNMENT
        return name

    def weight(self, name: str, inputs: int, outputs: int, gain: float = 1.0) -> str:
        """Declares the matrix (inputs, outputs) of a linear map, spread gain / sqrt(inputs), under weight decay."""
        return self.declare(name, inputs, outputs, spread=gain * inputs**-0.5, decays=True)

    def initial(self, seeds: list[int]) -> Tensor:
        """First values (E, size), each lane from its own seed alone."""
        means, spreads = self._per_value("mean"), self._per_value("spread")
        lanes = []
        for seed in seeds:
            normal = _generator(seed).standard_normal(self.size, np.float32)
            lane = means + spreads * normal
            for parameter in self.parameters.values():
                if parameter.law is not None:
                    place = slice(parameter.start, parameter.start + prod(parameter.shape))
                    lane[place] = parameter.law(normal[place].reshape(parameter.shape)).reshape(-1)
            lanes.append(lane)
        return torch.from_numpy(np.stack(lanes))

    def decaying(self) -> Tensor:
        """Which values weight decay applies to, (size,) of 0 and 1."""
        return torch.from_numpy(self._per_value("decays"))

    def bounds(self) -> tuple[Tensor, Tensor]:
        """The least and the greatest allowed value of each place, (size,) each."""
        low = {name: p.bounds[0] for name, p in self.parameters.items()}
        high = {name: p.bounds[1] for name, p in self.parameters.items()}
        return torch.from_numpy(self._fill(low, -np.inf)), torch.from_numpy(self._fill(high, np.inf))

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """The parameters by name, (E, *shape), sharing the memory of `flat` (E, size).

        One split makes them all: its gradient is one concatenation, where slices would fill a buffer each.
        """
        sizes = [size for p in self.parameters.values() for size in (prod(p.shape), -prod(p.shape) % ALIGNMENT)]
        blocks = torch.split(flat, sizes, 1)[::2]
        named = zip(self.parameters.items(), blocks, strict=True)
        return {name: block.view(len(flat), *parameter.shape) for (name, parameter), block in named}

    def _per_value(self, field: str) -> Floats:
        return self._fill({name: float(getattr(p, field)) for name, p in self.parameters.items()}, 0.0)

    def _fill(self, values: Mapping[str, float], rest: float) -> Floats:
        filled = np.full(self.size, rest, np.float32)
        for name, parameter in self.parameters.items():
            filled[parameter.start : parameter.start + prod(parameter.shape)] = values[name]
        return filled


def trainable(flat: Tensor, gradient: Tensor) -> Tensor:
    """A leaf that shares the memory of `flat` (E, size) and gathers its gradient in `gradient`."""
    leaf = flat.detach().requires_grad_()
    leaf.grad = gradient
    return leaf


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, INITIAL_STREAM], np.uint64)))
