"""What each backbone of roadsim says about its two camera fleets, with and without order: the claims about the world.

    just bench world [CLIPS] [FLEET ...]          # 1,500 clips of both fleets unless told otherwise; tens of minutes

For each backbone: one step alone, steps pooled without a temporal encoder (a network of the same width on each step,
trained alike), and temporal encoders, each the mean of `SEEDS` runs. Of the first CLIPS, as many train as in a
campaign and the others choose the epoch; AP is of as many again by three fifths, which do neither: 139 test clips, as a
campaign has them, would tell less.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kernels import datasets, features, precision, splits, training
from kernels.backbones.registry import BUILT_IN
from kernels.datasets import Dataset, Part
from kernels.outcomes import Completed
from kernels.tasks import roadsim
from kernels.wiring import Run, wire

SEEDS = (1, 2)
ENCODERS = ("retnet", "zipformer")
POOLINGS = ("mean", "max", "attention", "last")
LENGTH, BATCH, EPOCHS, WIDTH = 20, 64, 15, 64
BEYOND = 0.6
CONFIGURATION: dict[str, Any] = {
    "pooling": "attention",
    "loss": "bce",
    "scheduler": "cosine",
    "batch": BATCH,
    "length": LENGTH,
    "epochs": EPOCHS,
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
    "dropout": 0.1,
    "oversampling": 1.0,
    "mixup": 0.0,
    "noise": 0.0,
}


class Still(nn.Module):
    """A network on each step, then a pooling: nothing in it knows which step came first, but for `last`."""

    def __init__(self, inputs: int, pooling: str) -> None:
        super().__init__()
        layers = (nn.Linear(inputs, WIDTH), nn.SiLU(), nn.Dropout(0.1), nn.Linear(WIDTH, WIDTH), nn.SiLU())
        self.each, self.attends, self.out = nn.Sequential(*layers), nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 1)
        self.pooling = pooling

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N,) of clips (N, T, inputs)."""
        h = self.each(x)
        pooled = {
            "mean": lambda: h.mean(1),
            "max": lambda: h.amax(1),
            "last": lambda: h[:, -1],
            "attention": lambda: (torch.softmax(self.attends(h), 1) * h).sum(1),
        }[self.pooling]()
        logits: Tensor = self.out(pooled)[:, 0]
        return logits


def data_of(task: Path, cache: Path, backbone: str, clips: int) -> Dataset:
    """Training and validation among the first clips, in an order keyed by their numbers, and all others as the test."""
    held, positive = features.open(cache, backbone), datasets.labels(task)
    names, number = held.header.names, {name: int(Path(name).stem) for name in held.header.names}
    keyed = {name: hashlib.sha256(f"s{number[name]}".encode()).hexdigest() for name in names}
    first = sorted((name for name in names if number[name] < clips), key=lambda name: keyed[name])
    many = round(clips * splits.PROPORTION[0] / sum(splits.PROPORTION))
    row = {name: index for index, name in enumerate(names)}
    seen = held.values[[row[name] for name in first[:many]]].reshape(-1, held.header.width).astype(np.float64)
    mean, spread = seen.mean(0).astype(np.float32), np.maximum(seen.std(0), 1e-3).astype(np.float32)

    def part(chosen: Sequence[str]) -> Part:
        values = (held.values[[row[name] for name in chosen]] - mean) / spread
        return Part(tuple(chosen), values, np.array([positive[name] for name in chosen]))

    beyond = [name for name in names if number[name] >= clips]
    parts = (part(first[:many]), part(first[many:]), part(beyond))
    return Dataset(backbone, *parts, mean, spread, held.header.digest)


def still(data: Dataset, pooling: str, *, length: int = LENGTH) -> float:
    """Test AP without a temporal encoder, at the best epoch by validation."""
    torch.manual_seed(0)
    model = Still(data.train.values.shape[-1], pooling)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    x, y = (torch.from_numpy(values) for values in (data.train.values[:, -length:], data.train.labels.astype("f4")))
    found = []
    for _ in range(EPOCHS):
        model.train()
        for clips in torch.split(torch.randperm(len(x)), BATCH):
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[clips]), y[clips])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        schedule.step()
        model.eval()
        found.append(tuple(_judged(model, part, length) for part in (data.validation, data.test)))
    return max(found)[1]


@torch.no_grad()
def _judged(model: Still, part: Part, length: int) -> float:
    return precision.average_precision(model(torch.from_numpy(part.values[:, -length:])).numpy(), part.labels)


def ordered(data: Dataset, encoder: str) -> float:
    """Test AP of a temporal encoder, the mean over seeds."""
    configuration = CONFIGURATION | {"backbone": data.backbone, "encoder": encoder}
    packs = [wire([Run("e", configuration, seed)], capacity=1) for seed in SEEDS]
    ends = [end for pack in packs for end in training.train(pack, data, device="cpu", width=WIDTH, layers=2, heads=4)]
    return float(np.mean([end.test for end in ends if isinstance(end, Completed)]))


def row(task: Path, cache: Path, backbone: str, clips: int) -> str:
    """One backbone's line: extracted where that was not done, then all its numbers."""
    features.extract(task, backbone, cache, processes=2)
    data = data_of(task, cache, backbone, clips)
    numbers = [still(data, "last", length=1), *(still(data, pooling) for pooling in POOLINGS)]
    numbers += [ordered(data, encoder) for encoder in ENCODERS]
    return f"{backbone:12}" + "".join(f"{number:10.3f}" for number in numbers)


def main() -> None:
    """Print a table for each fleet, a row as soon as it is known."""
    clips, fleets = int((*sys.argv[1:2], "1500")[0]), sys.argv[2:] or list(roadsim.FLEETS)
    torch.set_num_threads(1)
    for fleet in fleets:
        with tempfile.TemporaryDirectory() as root:
            task, cache = Path(root) / "task", Path(root) / "cache"
            roadsim.render(task, clips=round(clips * (1 + BEYOND)), seed=7, fleet=fleet, processes=2)
            heads = "".join(f"{name:>10}" for name in ("1 step", *POOLINGS, *ENCODERS))
            print(f"\nfleet {fleet}\n{'backbone':12}{heads}", flush=True)
            for backbone in BUILT_IN:
                print(row(task, cache, backbone, clips), flush=True)


if __name__ == "__main__":
    main()
