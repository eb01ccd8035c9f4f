"""How many experiments an hour one GPU trains in packs, each step replayed, against the same steps taken one by one.

    just bench packs [EPOCHS]          # 15 unless told otherwise; part of `just bench training` too

Packs of as many lanes as the device has (`kernels.lanes`), width 256, four layers, on drawn features as wide as a
published backbone's. The wish is 10,000 an hour on one H200. Where there is no GPU, nothing is measured, and that is
said: none has measured it yet.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from torch import Tensor

from kernels import lanes, training
from kernels.datasets import Dataset, Part
from kernels.encoders import ENCODERS
from kernels.operations import tiled
from kernels.outcomes import Completed
from kernels.selftest import CONFIGURATION, device_at_hand
from kernels.watching import Moment, Watch, nobody
from kernels.wiring import Run, wire

SIZE = {"width": 256, "layers": 4, "heads": 4}
PARTS, STEPS, INPUTS = (1184, 177, 139), 20, 1024  # clips, as Nexar's are split; a ViT-L's features
WISHED = 10_000


def data(parts: tuple[int, int, int] = PARTS, inputs: int = INPUTS) -> Dataset:
    """Noise, as many clips of it and as wide as real features."""
    rng, nothing = np.random.default_rng(3), np.zeros(inputs, np.float32)

    def part(clips: int) -> Part:
        values = rng.standard_normal((clips, STEPS, inputs), np.float32)
        return Part(tuple(map(str, range(clips))), values, np.arange(clips) % 2 == 0)

    train, validation, test = map(part, parts)
    return Dataset("none", train, validation, test, nothing, nothing + 1, "drawn")


def somebody(moment: Moment, **made: Tensor) -> None:
    """Looks away, but has to be called: so no step is captured."""


def hourly(encoder: str, held: Dataset, device: str, epochs: int, watch: Watch, **size: int) -> float:
    """Experiments an hour of full packs, from first parameters to outcomes."""
    told: dict[str, Any] = CONFIGURATION | {"encoder": encoder, "epochs": epochs, "batch": 64, "length": STEPS}
    runs = [Run(f"e-{n}", told | {"learning_rate": 1e-4 * (n + 1)}, n) for n in range(lanes.count(device))]
    began = time.perf_counter()
    ends = list(training.train(wire(runs, capacity=len(runs)), held, device=device, watch=watch, **size))
    assert sum(isinstance(end, Completed) for end in ends) == len(runs), ends[-1]
    return 3600 * len(runs) / (time.perf_counter() - began)


def show(epochs: int) -> None:
    """Print the table, or why there is none."""
    device = device_at_hand()
    if device == "cpu":
        print(
            f"packs            no GPU here: {WISHED:,} experiments an hour at width 256, four layers, are not measured"
        )
        return
    held = data()
    print(f"tiles            {tiled.describe(device)}")
    print(f"\n{'pack':10} {'replayed/h':>11} {'taken/h':>9} {'ratio':>7}   wished for {WISHED:,}/h")
    for encoder in ENCODERS:
        hourly(encoder, held, device, 1, nobody, **SIZE)  # whatever is compiled once is not timed
        replayed, taken = (hourly(encoder, held, device, epochs, watch, **SIZE) for watch in (nobody, somebody))
        print(f"{encoder:10} {replayed:11.0f} {taken:9.0f} {replayed / taken:6.1f}x", flush=True)


if __name__ == "__main__":
    show(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
