"""Random numbers that depend on (experiment seed, step, place) and on nothing else: no lane, no neighbour, no history.

SplitMix64 (Steele, Lea and Flood 2014) used as a counter: word n of a stream is the finaliser of key + n * golden
ratio. It is written in wrapping 64-bit integer operations, which are the same bits on every device and can be captured
in a CUDA graph, since the step may live on the device.
"""

import torch
from torch import Tensor

from kernels.operations import compiled

GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit number
FIRST = -4658895280553007687  # 0xBF58476D1CE4E5B9
SECOND = -7723592293110705685  # 0x94D049BB133111EB


def mix(word: Tensor) -> Tensor:
    """The finaliser of SplitMix64 on int64 words of any shape; `word` is overwritten."""
    word ^= (word >> 30) & 0x3FFFFFFFF
    word *= FIRST
    word ^= (word >> 27) & 0x1FFFFFFFFF
    word *= SECOND
    word ^= (word >> 31) & 0x1FFFFFFFF
    return word


def keys(
    seeds: Tensor,  # (E,) int64: the experiments' seeds
    step: Tensor,  # () int64: the training step
    site: int,  # which of the step's draws this is
) -> Tensor:  # (E,) int64
    """The key of one stream per lane."""
    return keys_at(step_keys(seeds, step), site)


def step_keys(seeds: Tensor, step: Tensor) -> Tensor:
    """What the keys of one step have in common, (E,) int64."""
    return mix(mix(seeds.clone()) + step * GOLDEN)


def keys_at(step_key: Tensor, site: int) -> Tensor:
    """`keys` from what they have in common."""
    return mix(step_key + site)


def words(
    key: Tensor,  # (E,) int64
    count: int,
    start: int = 0,
) -> Tensor:  # (E, count) int64
    """Words `start` to `start + count` of each lane's stream."""
    places = torch.arange(start + 1, start + count + 1, device=key.device)
    return mix(key[:, None] + places * GOLDEN)


def shorts(key: Tensor, count: int, start: int = 0) -> Tensor:
    """Values `start` to `start + count` of each lane's stream of numbers 0 to 65535, (E, count) int32; four a word."""
    first, last = start // 4, -(-(start + count) // 4)
    quarters = words(key, last - first, first).view(torch.int16)
    return quarters[:, start - 4 * first : start - 4 * first + count].to(torch.int32) & 0xFFFF


def dice(
    key: Tensor,  # (E,) int64
    threshold: Tensor,  # (E,) int32, 0 to 65536
    factor: Tensor,  # (E,) float32
    count: int,
    start: int = 0,
) -> Tensor:  # (E, count) float32
    """`factor` where a value of `shorts` reaches its lane's threshold, else 0; the same bits in either form."""
    if not compiled.usable(key, threshold, factor):
        return reference_dice(key, threshold, factor, count, start)
    kept = torch.empty(len(key), count)
    compiled.call("dice", (len(key), count, start), key, threshold, factor, kept)
    return kept


def reference_dice(key: Tensor, threshold: Tensor, factor: Tensor, count: int, start: int = 0) -> Tensor:
    """`dice` on any device."""
    return (shorts(key, count, start) >= threshold[:, None]) * factor[:, None]


def normals(key: Tensor, count: int, start: int = 0) -> Tensor:
    """Standard normal values `start` to `start + count` of each stream, (E, count); one a word (Box and Muller)."""
    bits = words(key, count, start)
    radius = (((bits >> 40) & 0xFFFFFF).float() + 1) * 2.0**-24
    angle = (bits & 0xFFFFFF).float() * (2.0**-24 * 6.283185307179586)
    return torch.sqrt(-2 * torch.log(radius)) * torch.cos(angle)
