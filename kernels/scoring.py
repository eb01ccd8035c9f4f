"""A trained network taken out again: from checkpoint bytes to scores of clips."""

import numpy as np
import torch
from numpy.typing import NDArray

from kernels import evaluation
from kernels.checkpoints import Checkpoint
from kernels.forward import Forward, Size
from kernels.network import Network
from kernels.pooling import one_hot

Floats = NDArray[np.float32]


def score(checkpoint: Checkpoint, values: Floats, *, device: str) -> Floats:
    """Logits [clips] of a checkpoint for features [clips, steps, inputs] as their backbone made them."""
    described = checkpoint.description
    size = Size(described["width"], described["layers"], described["heads"])
    network = Network(described["encoder"], inputs=described["inputs"], size=size)
    weights = {
        name: torch.from_numpy(checkpoint.arrays[name].copy())[None].to(device) for name in network.blueprint.parameters
    }
    progress = torch.tensor([described["progress"]], device=device)
    through = Forward(weights, progress, one_hot([described["pooling"]]).to(device))
    standard = (values - checkpoint.arrays["input.mean"]) / checkpoint.arrays["input.spread"]
    x = torch.from_numpy(standard[:, -described["length"] :]).to(device)
    mask = torch.ones(x.shape[:2], dtype=torch.bool, device=device)
    scores: Floats = evaluation.score(network, through, x, mask, described["batch"])[0]
    return scores
