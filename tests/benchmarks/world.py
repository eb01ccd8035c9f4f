"""What each backbone of roadsim says about its two camera fleets, with and without order: the claims about the world.

    just bench world [CLIPS] [FLEET ...]          # 1,500 clips of both fleets unless told otherwise; tens of minutes

For each backbone: one step alone, steps pooled without a temporal encoder (a network of the same width on each step,
trained alike), and temporal encoders, each the mean of `SEEDS` runs. AP is of clips of the same world that neither
train nor choose the epoch, two for every three of the campaign's own: a campaign's 139 test clips would tell less.
"""

from __future__ import annotations

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
BEYOND = 2 / 3
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
    """The campaign's own training and validation among the first clips, and all clips beyond these as the test."""
    held, positive = features.open(cache, backbone), datasets.labels(task)
    names, number = held.header.names, {name: int(Path(name).stem) for name in held.header.names}
    first = {name: f"{number[name]}" for name in names if number[name] < clips}
    split = splits.assign(first, positive)
    row = {name: index for index, name in enumerate(names)}
    seen = held.values[[row[name] for name in split.train]].reshape(-1, held.header.width).astype(np.float64)
    mean, spread = seen.mean(0).astype(np.float32), np.maximum(seen.std(0), 1e-3).astype(np.float32)

    def part(chosen: Sequence[str]) -> Part:
        values = (held.values[[row[name] for name in chosen]] - mean) / spread
        return Part(tuple(chosen), values, np.array([positive[name] for name in chosen]))

    parts = (part(split.train), part(split.validation), part([name for name in names if name not in first]))
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


def main() -> None:
    """Print a table for each fleet, a row as soon as it is known."""
    clips, fleets = int((*sys.argv[1:2], "1500")[0]), sys.argv[2:] or list(roadsim.FLEETS)
    torch.set_num_threads(1)
    for fleet in fleets:
        with tempfile.TemporaryDirectory() as root:
            task, cache = Path(root) / "task", Path(root) / "cache"
            roadsim.render(task, clips=round(clips * (1 + BEYOND)), seed=7, fleet=fleet, processes=2)
            print(f"\nfleet {fleet}\n{'backbone':12}{'1 step':>8}", *(f"{name:>9}" for name in (*POOLINGS, *ENCODERS)))
            for backbone in BUILT_IN:
                features.extract(task, backbone, cache, processes=2)
                data = data_of(task, cache, backbone, clips)
                row = [still(data, pooling) for pooling in POOLINGS] + [ordered(data, name) for name in ENCODERS]
                alone = still(data, "last", length=1)
                print(f"{backbone:12}{alone:8.3f}", *(f"{value:9.3f}" for value in row), flush=True)


if __name__ == "__main__":
    main()
