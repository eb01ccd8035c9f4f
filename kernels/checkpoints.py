"""A trained network as bytes: safetensors with everything needed to score a clip again, named by its digest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from kernels.errors import BadCheckpoint

FORMAT = "myriad checkpoint 1"
DESCRIPTION = "description"
Floats = NDArray[np.float32]
Arrays = Mapping[str, Floats]


@dataclass(frozen=True)
class Checkpoint:
    """Parameters by name, and the description: network size, pooling, progress, backbone, length, features' digest."""

    arrays: Arrays
    description: Mapping[str, Any]


def encode(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as safetensors bytes, the same for the same content.

    The description travels as an array of its JSON's bytes: safetensors' own metadata keeps no order.
    """
    text = json.dumps({"format": FORMAT} | dict(checkpoint.description), sort_keys=True).encode()
    return save(
        {DESCRIPTION: np.frombuffer(text, np.uint8)}
        | {k: np.ascontiguousarray(v) for k, v in checkpoint.arrays.items()}
    )


def decode(content: bytes) -> Checkpoint:
    """The checkpoint that `encode` wrote.

    Raises:
        BadCheckpoint: the bytes are not one.
    """
    try:
        arrays = load(content)
        description = json.loads(arrays.pop(DESCRIPTION).tobytes())
    except (SafetensorError, KeyError, ValueError) as error:
        raise BadCheckpoint(f"not a checkpoint of ours: {error}") from error
    if description.pop("format", None) != FORMAT:
        raise BadCheckpoint(f"not of the format '{FORMAT}'")
    return Checkpoint(arrays, description)


def digest(content: bytes) -> str:
    """The sha256 of the bytes, by which a checkpoint is named."""
    return hashlib.sha256(content).hexdigest()
