"""How many experiments an hour are trained on this machine's cores, against a plain PyTorch loop, encoder by encoder.

    just bench training [CLIPS] [EPOCHS]          # 1,500 and 15 unless told otherwise

Ours: one single-thread process a core, each with the features resident, as workers train them. Theirs: `textbook.py`,
one process with PyTorch's own number of threads. Both train the same configuration from the same first weights on
roadsim's motion features, width 64, two layers, and both are timed by the clock, one after the other, encoder by
encoder. Other work on the machine slows a run of many threads most of all, so the last column holds processor time
against processor time, one thread each, over two epochs: no load bends that much. Before anything is timed, each pair
of networks must give the same scores and gradients.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kernels import datasets, features, training
from kernels.datasets import Dataset
from kernels.encoders import ENCODERS
from kernels.forward import Forward, Size
from kernels.network import Network
from kernels.operations import compiled
from kernels.outcomes import Completed
from kernels.pooling import one_hot
from kernels.tasks import roadsim
from kernels.wiring import Run, wire
from tests.benchmarks import packs, textbook

WIDTH, LAYERS, HEADS = 64, 2, 4
CONFIGURATION: dict[str, Any] = {
    "backbone": "motion",
    "pooling": "attention",
    "loss": "bce",
    "scheduler": "cosine",
    "batch": 64,
    "length": 20,
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
    "dropout": 0.1,
    "oversampling": 1.0,
    "mixup": 0.0,
    "noise": 0.0,
}
TOLERANCE = 1e-5
EACH = 2  # experiments of each process of ours
SHORT = 2  # epochs of the runs whose processor time is compared

_resident: Dataset


def settle(folder: Path, cache: Path) -> None:
    """Make a process of ours ready: one thread, features in memory, one short run behind it."""
    global _resident  # noqa: PLW0603 # a worker process holds its features
    torch.set_num_threads(1)
    _resident = datasets.load(folder, cache, CONFIGURATION["backbone"])


def ours(encoder: str, seed: int, epochs: int) -> tuple[float, float]:
    """Train one experiment; its test average precision, and its seconds of processor time."""
    began = time.process_time()
    run = Run("e", CONFIGURATION | {"encoder": encoder, "epochs": epochs}, seed)
    ends = training.train(wire([run], capacity=1), _resident, device="cpu", width=WIDTH, layers=LAYERS, heads=HEADS)
    return next(end.test for end in ends if isinstance(end, Completed)), time.process_time() - began


def weights(network: Network, seed: int) -> dict[str, Tensor]:
    """A run's first weights, by name."""
    return {name: view[0] for name, view in network.blueprint.views(network.blueprint.initial([seed])).items()}


def plain(encoder: str, inputs: int, *, dropout: float, noise: float = 0.0) -> tuple[Network, textbook.Classifier]:
    """Our network and the textbook's from the same weights, moved by `noise` off their first values."""
    network = Network(encoder, inputs=inputs, size=Size(WIDTH, LAYERS, HEADS))
    flat = network.blueprint.initial([1])
    flat += noise * torch.randn(flat.shape, generator=torch.Generator().manual_seed(1))
    named = {name: view[0] for name, view in network.blueprint.views(flat).items()}
    return network, textbook.Classifier(encoder, named, layers=LAYERS, heads=HEADS, dropout=dropout)


def disagreement(encoder: str) -> float:
    """The largest relative difference between the two networks' scores and gradients by the input."""
    inputs, lane = 40, torch.Generator().manual_seed(2)
    network, model = plain(encoder, inputs, dropout=0.0, noise=0.1)
    flat = network.blueprint.initial([1])
    flat += 0.1 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(1))
    through = Forward(network.blueprint.views(flat), torch.zeros(1), one_hot(["attention"]))
    x = torch.randn(8, 20, inputs, generator=lane)
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    scores = network.forward(one[None], torch.ones(1, 8, 20, dtype=torch.bool), through)[0]
    judged = model(other)
    torch.autograd.backward([scores.sum(), judged.sum()])
    assert one.grad is not None
    assert other.grad is not None
    pairs = [(scores.detach(), judged.detach()), (one.grad, other.grad)]
    return max(float((mine - theirs).norm() / theirs.norm()) for mine, theirs in pairs)


def their_hourly(encoder: str, folder: Path, cache: Path, epochs: int) -> tuple[float, float]:
    """Experiments an hour of the textbook loop, and its test average precision."""
    began = time.perf_counter()
    inputs = features.open(cache, CONFIGURATION["backbone"]).header.width
    _, model = plain(encoder, inputs, dropout=CONFIGURATION["dropout"])
    _, test = textbook.train(model, folder, cache, CONFIGURATION | {"epochs": epochs})
    return 3600 / (time.perf_counter() - began), test


def our_hourly(pool: ProcessPoolExecutor, processes: int, encoder: str, epochs: int) -> tuple[float, float]:
    """Experiments an hour of all processes together, and their mean test average precision."""
    count = EACH * processes
    began = time.perf_counter()
    tests = [test for test, _ in pool.map(ours, [encoder] * count, range(count), [epochs] * count)]
    return 3600 * count / (time.perf_counter() - began), sum(tests) / count


def their_seconds(encoder: str, folder: Path, cache: Path) -> float:
    """Seconds of processor time of a short textbook run on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    began = time.process_time()
    their_hourly(encoder, folder, cache, SHORT)
    torch.set_num_threads(threads)
    return time.process_time() - began


def mean(ratios: list[float]) -> float:
    """The geometric mean."""
    return math.prod(ratios) ** (1 / len(ratios))


def main() -> None:
    """Print the table."""
    clips, epochs = (int(word) for word in (*sys.argv[1:], *("1500", "15")[len(sys.argv) - 1 :]))
    processes = len(os.sched_getaffinity(0))
    for encoder in ENCODERS:
        if (found := disagreement(encoder)) > TOLERANCE:
            sys.exit(f"{encoder}: ours and the textbook's differ by {found:.1e}; nothing was timed")
    with tempfile.TemporaryDirectory() as root:
        folder, cache = Path(root) / "task", Path(root) / "cache"
        roadsim.render(folder, clips=clips, seed=7, processes=processes)
        features.extract(folder, CONFIGURATION["backbone"], cache, processes=processes)
        print(f"networks agree   to {TOLERANCE:g} in scores and gradients, every encoder")
        print(f"machine          {processes} cores, load {os.getloadavg()[0]:.1f} before, torch {torch.__version__}")
        print(f"compiled         {compiled.describe()}")
        heads = ("encoder", "ours/h", "textbook/h", "ratio", "our AP", "their AP", "by processor")
        print("\n{:10} {:>9} {:>11} {:>7} {:>8} {:>9} {:>13}".format(*heads))
        ratios, exact = [], []
        with ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=settle, initargs=(folder, cache)
        ) as pool:
            their_hourly("retnet", folder, cache, 1)  # whatever PyTorch does once is not timed
            for encoder in ENCODERS:
                my_seconds = min(spent for _, spent in pool.map(ours, [encoder] * 2, [1, 2], [SHORT] * 2))
                exact.append(their_seconds(encoder, folder, cache) / my_seconds)
                mine, my_test = our_hourly(pool, processes, encoder, epochs)
                theirs, their_test = their_hourly(encoder, folder, cache, epochs)
                ratios.append(mine / theirs)
                print(
                    f"{encoder:10} {mine:9.0f} {theirs:11.0f} {ratios[-1]:6.1f}x {my_test:8.3f} {their_test:9.3f}"
                    f" {exact[-1]:12.1f}x",
                    flush=True,
                )
        print(f"{'mean':10} {'':9} {'':11} {mean(ratios):6.1f}x {'':8} {'':9} {mean(exact):12.1f}x, geometric")
        print(f"load             {os.getloadavg()[0]:.1f} after")
    packs.show(epochs)


if __name__ == "__main__":
    main()
