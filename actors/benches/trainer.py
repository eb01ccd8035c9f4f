"""What of a bench needs torch: it trains, and looks at what trains. A bench that runs a script does without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from actors.benches.scrutiny import Control, Controlled
from actors.benches.setups import Setup
from actors.orders import Refused, Train
from kernels import controls, datasets, lanes, outcomes, training, wiring
from kernels.canaries import suite
from kernels.canaries.canary import Canary
from kernels.forward import Size


class Trainer:
    """Trains on one device under one setup; features are loaded once."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._data: dict[str, datasets.Dataset] = {}
        if setup.device == "cpu":
            torch.set_num_threads(1)

    def train(self, runs: list[wiring.Run], order: Train) -> Iterator[outcomes.Epoch | outcomes.Outcome]:
        """Train runs side by side: their epochs, and how each ended."""
        setup = self._setup
        pack = wiring.wire(runs, capacity=lanes.count(setup.device))
        return training.train(
            pack,
            self._dataset(pack.shape.backbone),
            device=setup.device,
            micro_batches=order.execution.micro_batches,
            width=setup.width,
            layers=setup.layers,
            heads=setup.heads,
        )

    def canaries(self, split: str) -> tuple[tuple[Canary, ...], str | None]:
        """Run every canary on what would train now; return what each found, and why it may not train, if so."""
        setup = self._setup
        size = Size(setup.width, setup.layers, setup.heads)
        own = suite.Own(Path(setup.task), Path(setup.cache), setup.backbones, size, split=split)
        found = suite.verdict(setup.device, own)
        return found, suite.problem(found)

    def control(self, order: Control) -> Controlled | Refused:
        """Hold a configuration against shuffled labels and against a linear model."""
        data = self._dataset(str(order.configuration["backbone"]))
        run = wiring.Run(order.experiment, order.configuration, order.seed)
        setup = self._setup
        size = {"width": setup.width, "layers": setup.layers, "heads": setup.heads}
        shuffled = controls.shuffled(run, data, device=setup.device, capacity=lanes.count(setup.device), **size)
        linear = controls.linear(data, length=int(order.configuration["length"]))
        if shuffled is None:
            return Refused(id=order.id, reason="the champion's configuration diverges on shuffled labels")
        return Controlled(
            id=order.id,
            shuffled_labels=(shuffled.validation, shuffled.noise),
            linear=(linear.validation, linear.noise),
        )

    def forget(self, backbone: str) -> None:
        """Load a backbone's features anew when they are asked for again."""
        self._data.pop(backbone, None)

    def _dataset(self, backbone: str) -> datasets.Dataset:
        if backbone not in self._data:
            self._data[backbone] = datasets.load(Path(self._setup.task), Path(self._setup.cache), backbone)
        return self._data[backbone]
