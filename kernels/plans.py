"""What a run will see at every step, decided before it begins: clips, mixing partners and weights, learning rates.

Drawn on the host by Philox keyed with the experiment's seed, so a captured step only has to look up its row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kernels.schedules import learning_rates
from kernels.wiring import Lane

# Each use of a seed has a stream of its own, so that a longer run begins with the very steps of a shorter one.
ORDER_STREAM, PARTNER_STREAM, SHARE_STREAM = 0x0DDE, 0x313, 0x5A4E

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """What a plan holds for one step."""

    step: Tensor  # () int64
    clips: Tensor  # (E, B) int64
    partners: Tensor  # (E, B) int64
    shares: Tensor  # (E, B)
    rates: Tensor  # (E,)
    progress: Tensor  # (E,)


@dataclass(frozen=True)
class Plan:
    """All steps S of all lanes E, with B clips a step; a lane that has finished has learning rate 0."""

    clips: Tensor  # (S, E, B) int64: index into the training clips
    partners: Tensor  # (S, E, B) int64: the clip mixed in
    shares: Tensor  # (S, E, B): weight of the clip itself; 1 where nothing is mixed in
    rates: Tensor  # (S, E): learning rate
    progress: Tensor  # (S, E): share of the lane's own run that is done
    epoch_steps: int  # steps in one epoch, the same for all lanes

    def at(self, step: Tensor) -> Row:
        """The row of a step, () int64, looked up where the plan is: a captured step finds another one each time."""
        columns = (self.clips, self.partners, self.shares, self.rates, self.progress)
        return Row(step, *(column.index_select(0, step.view(1))[0] for column in columns))


def make(lanes: Sequence[Lane], labels: NDArray[np.bool_], batch: int, device: torch.device | str = "cpu") -> Plan:
    """The plan of a pack; each lane's part depends on its own values, the labels and the batch size alone.

    Args:
        lanes: all lanes, padding included.
        labels: of the training clips, (clips,).
        batch: clips a step.
    """
    epoch_steps = -(-len(labels) // batch)
    steps = epoch_steps * max(lane.epochs for lane in lanes)
    rows = [_lane(lane, labels, batch, epoch_steps, steps) for lane in lanes]
    clips, partners, shares, rates, progress = (
        torch.from_numpy(np.stack(column, 1)).to(device) for column in zip(*rows, strict=True)
    )
    return Plan(clips, partners, shares, rates, progress, epoch_steps)


def epoch_order(rng: np.random.Generator, labels: NDArray[np.bool_], draws: int, oversampling: float) -> Integers:
    """One epoch's clips, (draws,), in random order, a positive `oversampling` times as often as a negative.

    Within a label every clip is drawn equally often, give or take one.
    """
    positive, negative = np.flatnonzero(labels), np.flatnonzero(~labels)
    share = oversampling * len(positive) / (oversampling * len(positive) + len(negative))
    count = round(draws * share)
    chosen = np.concatenate([_cycle(rng, positive, count), _cycle(rng, negative, draws - count)])
    return rng.permutation(chosen)


def _cycle(rng: np.random.Generator, clips: Integers, count: int) -> Integers:
    """The first `count` of endless random orders of `clips`."""
    if count == 0:
        return clips[:0]
    rounds = [rng.permutation(clips) for _ in range(-(-count // len(clips)))]
    return np.concatenate(rounds)[:count]


def _lane(
    lane: Lane, labels: NDArray[np.bool_], batch: int, epoch_steps: int, steps: int
) -> tuple[Integers, Integers, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    own = epoch_steps * lane.epochs
    clips, partners = np.zeros((2, steps, batch), np.int64)
    shares = np.ones((steps, batch), np.float32)
    rates = np.zeros(steps, np.float32)
    order, mixing, weighing = (_generator(lane.seed, stream) for stream in (ORDER_STREAM, PARTNER_STREAM, SHARE_STREAM))
    epochs = [epoch_order(order, labels, epoch_steps * batch, lane.oversampling) for _ in range(lane.epochs)]
    clips[:own] = np.concatenate(epochs).reshape(own, batch)
    partners[:own] = mixing.permuted(clips[:own], axis=1)
    if lane.mixup > 0:
        shares[:own] = weighing.beta(lane.mixup, lane.mixup, (own, batch))
    rates[:own] = learning_rates(lane, own)
    progress = np.minimum(np.arange(steps) / own, 1).astype(np.float32)
    return clips, partners, shares, rates, progress


def _generator(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64)))
