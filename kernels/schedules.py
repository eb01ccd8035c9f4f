"""The learning rate of every step of a run, known before it begins."""

import numpy as np
from numpy.typing import NDArray

from kernels.wiring import Lane

WARM_UP = 0.1  # share of the run that rises linearly
DROPS = (0.6, 0.85)  # shares of the rest after which the step schedule divides by ten


def learning_rates(lane: Lane, steps: int) -> NDArray[np.float32]:
    """The rate at each of a run's steps, (steps,): a warm-up, then cosine, linear or stepwise decay.

    Args:
        lane: its `scheduler` and `learning_rate`.
        steps: all steps of the run, at least 1.
    """
    warm = max(1, round(WARM_UP * steps))
    step = np.arange(steps)
    done = np.clip((step - warm) / max(1, steps - warm), 0, 1)
    decay = {
        "cosine": (1 + np.cos(np.pi * done)) / 2,
        "linear": 1 - done,
        "step": 0.1 ** sum((done >= drop).astype(float) for drop in DROPS),
    }[lane.scheduler]
    rates: NDArray[np.float32] = (lane.learning_rate * np.where(step < warm, (step + 1) / warm, decay)).astype(
        np.float32
    )
    return rates
