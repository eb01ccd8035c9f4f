"""What a feature extractor is: when it looks at a clip, how its pictures are made ready, and what it makes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernels.wiring import LONGEST

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

STEPS = LONGEST  # of a clip, counted back from its last picture
RATE = 5  # steps a second
GAP = 0.1  # seconds between the two pictures of a step
HEIGHT, WIDTH = 64, 96  # pixels of the luminance that the built-in extractors read


@dataclass(frozen=True)
class Backbone:
    """A feature extractor.

    `describe` takes pictures [STEPS, pictures, height, width], with 3 colours at the end for "rgb", to float32
    [STEPS, width]. Luminance comes at `HEIGHT` by `WIDTH`, colours as large as the file has them. `source` names the
    files of this room whose content decides the result, and `parts` the backbones that this one puts side by side.
    `weights` gives the digest of weights that do not ship; one that is `alone` is too large for several processes.
    """

    name: str
    pictures: int
    width: int
    preprocessing: str
    describe: Callable[[Pixels], Floats]
    source: tuple[str, ...]
    colours: Literal["rgb", "luma"] = "luma"
    parts: tuple[str, ...] = ()
    weights: Callable[[], str] = str
    alone: bool = False

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width that pictures are decoded at, None for those of the file."""
        return (HEIGHT, WIDTH) if self.colours == "luma" else None

    def moments(self) -> list[float]:
        """Seconds before the last picture at which pictures are wanted, step by step, oldest first."""
        steps = [(STEPS - 1 - step) / RATE for step in range(STEPS)]
        return [step + GAP * (self.pictures - 1 - n) for step in steps for n in range(self.pictures)]

    def features(self, pictures: Pixels) -> Floats:
        """Features [STEPS, width] of the pictures of `moments`, [STEPS * pictures, ...]."""
        return self.describe(pictures.reshape(STEPS, self.pictures, *pictures.shape[1:]))
