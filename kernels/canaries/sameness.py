"""One clip scores the same alone, padded, batched, in training's forward without dropout, and when judged."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kernels import evaluation
from kernels.canaries.canary import ALLOWED, Canary, at_most
from kernels.encoders import ENCODERS
from kernels.forward import Forward, Size
from kernels.network import Dropout, Network
from kernels.pooling import one_hot
from kernels.wiring import LONGEST, POOLINGS

CLIPS, PADDING, NONSENSE = 5, 6, 1e3
LAYERS: Mapping[str, int | None] = {  # from so many on, a step changes with those that come after it; None: never
    "zipformer": 1,
    "retnet": None,
    "bimamba": 1,
    "hybrid": 2,
    "xlstm": None,
}


def canaries(seed: int, values: NDArray[np.float32], *, size: Size, device: str) -> Iterator[Canary]:
    """One canary for each encoder and way to score, and one for the directions that it reads in.

    Args:
        seed: of the networks' parameters.
        values: features of some clips, [clips, steps, inputs], standardised.
    """
    x = torch.from_numpy(values[:CLIPS, -LONGEST:].copy()).to(device)
    for encoder in ENCODERS:
        yield from _encoder(encoder, seed, x, size)


def _encoder(encoder: str, seed: int, x: Tensor, size: Size) -> Iterator[Canary]:
    network = Network(encoder, inputs=x.shape[-1], size=size)
    seeds = [seed + n for n in range(len(POOLINGS))]
    flat = network.blueprint.initial(seeds)
    # Away from the first values, where much is zero.
    flat += 0.1 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(seed))
    progress = torch.linspace(0.1, 1, len(POOLINGS))
    through = Forward(network.blueprint.views(flat.to(x.device)), progress.to(x.device), one_hot(POOLINGS).to(x.device))
    steps = PADDING + LONGEST // 2
    for way, (found, true) in _ways(network, through, x, steps, torch.tensor(seeds, device=x.device)).items():
        error = (found - true).abs().amax(1) / true.abs().max().clamp(min=1)
        lane = int(error.argmax())
        problem = f"a clip scores otherwise {way} (pooling {POOLINGS[lane]})"
        yield at_most("sameness", f"{encoder}, {way}", float(error.max()), ALLOWED[x.device.type], problem)
    yield from _directions(encoder, network, through, x)


@torch.no_grad()
def _ways(network: Network, through: Forward, x: Tensor, steps: int, seeds: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Scores (E, B) in each way, and what they must be."""
    lanes = len(through.progress)
    clips = x[:, -steps:].expand(lanes, -1, -1, -1)
    whole = torch.ones(clips.shape[:3], dtype=torch.bool, device=x.device)
    batched = network.forward(clips, whole, through)
    alone = [network.forward(clips[:, n : n + 1], whole[:, n : n + 1], through) for n in range(clips.shape[1])]
    judged = evaluation.score(network, through, clips[0], whole[0], 2)
    undropped = replace(through, dropout=Dropout(seeds, torch.zeros(lanes, device=x.device), torch.tensor(0), 0))
    short = clips[:, :, PADDING:]
    behind = torch.cat([torch.full_like(clips[:, :, :PADDING], NONSENSE), short], 2)
    mask = (torch.arange(behind.shape[2], device=x.device) >= PADDING).expand(whole.shape)
    return {
        "alone": (torch.cat(alone, 1), batched),
        "when judged": (torch.from_numpy(judged).to(x.device), batched),
        "in training without dropout": (network.forward(clips, whole, undropped), batched),
        "behind padding": (
            network.forward(behind, mask, through),
            network.forward(short, mask[:, :, PADDING:], through),
        ),
    }


def _directions(encoder: str, network: Network, through: Forward, x: Tensor) -> Iterator[Canary]:
    """Whether the last step changes with the first, and the first with the last where an encoder reads backwards."""
    lanes, width, needed = len(through.progress), network.size.width, LAYERS[encoder]
    back = needed is not None and network.size.layers >= needed
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(1, 1, 8, width, generator=generator).to(x.device).repeat(lanes, 2, 1, 1)
    mask = torch.ones(hidden.shape[:3], dtype=torch.bool, device=x.device)
    for reads, changed, looked, must in (("forwards", 0, -1, True), ("backwards", -1, 0, back)):
        other = hidden.clone()
        other[:, 1, changed] += 1
        with torch.no_grad():
            seen = network.encoder.forward(other, mask, through)
        far = float((seen[:, 0, looked] - seen[:, 1, looked]).abs().max())
        problem = None if (far > 0) is must else f"it {'does not read' if must else 'reads'} {reads}"
        yield Canary("sameness", f"{encoder}, reading {reads}", far, None if must else 0.0, problem)
