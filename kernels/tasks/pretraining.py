"""How the shipped backbones were made, and the command that makes them again: `python -m kernels.tasks.pretraining`.

Each network learns to say how near what stands in each of 16 parts of the road's width is (inverse depth, weighted by
the share of the part that it covers), and the video network also how fast that changes. The clips are of worlds that no
campaign may name (`SEEDS`), and no label of theirs is used.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kernels import video
from kernels.backbones import networks
from kernels.backbones.backbone import HEIGHT, WIDTH
from kernels.tasks import camera, physics, roadsim

Floats = NDArray[np.float32]

PARTS = 16  # of the picture's width
SEEDS = (2**53, 2**53 + 1)  # worlds of the training and of the judged clips: beyond every seed that a campaign may use
CLIPS, JUDGED = 480, 32
STEPS, BATCH = 1200, 64
RATE, DECAY = 2e-3, 1e-4
GRAIN = 3.0  # levels of noise added to a picture, at most
SEED = 11


@dataclass(frozen=True)
class Film:
    """Pictures [frames, H, W] of one clip with their scans [frames, PARTS], and the rates of these a second."""

    pictures: NDArray[np.uint8]
    scans: Floats
    rates: Floats


def scan(vehicles: Sequence[camera.Vehicle], moment: int) -> Floats:
    """Inverse depth (10 / metres) of the nearest car in each part of the picture, times the share of it covered."""
    edges = np.linspace(0, camera.WIDTH, PARTS + 1)
    seen = np.zeros(PARTS)
    for vehicle in vehicles:
        x, z = vehicle.path[moment]
        if z < camera.NEAREST:
            continue
        centre, half = camera.WIDTH / 2 + x * camera.FOCAL / z, vehicle.width / 2 * camera.FOCAL / z
        covered = np.minimum(edges[1:], centre + half) - np.maximum(edges[:-1], centre - half)
        seen = np.maximum(seen, np.clip(covered / (edges[1] - edges[0]), 0, 1) * 10 / z)
    return seen.astype(np.float32)


def films(folder: Path, seed: int, clips: int, processes: int) -> list[Film]:
    """Renders a world as real video and reads it again, with what was really there."""
    roadsim.render(folder, clips=clips, seed=seed, processes=processes)
    before_end = [(physics.FRAMES - 1 - n) * physics.INTERVAL for n in range(physics.FRAMES)]
    made = []
    for index in range(clips):
        vehicles = roadsim.scene(seed, index).vehicles
        scans = np.stack([scan(vehicles, moment) for moment in range(physics.FRAMES)])
        rates = np.diff(scans, axis=0, prepend=scans[:1]) / physics.INTERVAL
        pictures = video.read(folder / roadsim.name_of(index), before_end, "luma", size=(HEIGHT, WIDTH))
        made.append(Film(pictures, scans, rates.astype(np.float32)))
    return made


class Lesson:
    """Pictures and targets of many films, drawn at random."""

    def __init__(self, watched: Sequence[Film], pictures: int) -> None:
        """Takes every moment that has so many pictures behind it."""
        self._frames = torch.from_numpy(np.stack([film.pictures for film in watched]))
        scans = torch.from_numpy(np.stack([film.scans for film in watched]))
        rates = torch.from_numpy(np.stack([film.rates for film in watched]))
        self._targets = torch.cat([scans, rates], -1) if pictures == 2 else scans
        self._pictures = pictures
        self.width = self._targets.shape[-1]
        flat = self._targets.flatten(0, 1)
        self.mean, self.spread = flat.mean(0), flat.std(0).clamp(min=1e-3)

    def at(self, clips: Tensor, moments: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised pictures (N, pictures, H, W) and targets (N, width) of moments of clips."""
        seen = torch.stack([self._frames[clips, moments - back] for back in reversed(range(self._pictures))], 1)
        return networks.standard(seen), (self._targets[clips, moments] - self.mean) / self.spread

    def draw(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """A batch of moments, the pictures a little noisier than they are."""
        clips = torch.randint(len(self._frames), (BATCH,), generator=rng)
        moments = torch.randint(1, self._frames.shape[1], (BATCH,), generator=rng)
        x, target = self.at(clips, moments)
        grain = torch.rand((BATCH, 1, 1, 1), generator=rng) * GRAIN / 40  # a road's contrast is about 40 levels
        return x + grain * torch.randn(x.shape, generator=rng), target


def train(name: str, lesson: Lesson, steps: int = STEPS) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Trains a design on a lesson: its weights, and the linear reading (weight, bias) that is thrown away."""
    design, rng = networks.DESIGNS[name], torch.Generator().manual_seed(SEED)
    held = {key: value.requires_grad_() for key, value in networks.initial(name, SEED).items()}
    reading = torch.zeros(lesson.width, design.width, requires_grad=True)
    bias = torch.zeros(lesson.width, requires_grad=True)
    optimizer = torch.optim.AdamW([*held.values(), reading, bias], lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(steps):
        x, target = lesson.draw(rng)
        said = torch.nn.functional.linear(networks.forward(design, held, x), reading, bias)
        loss = ((said - target) ** 2).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    return {key: value.detach() for key, value in held.items()}, reading.detach(), bias.detach()


@torch.no_grad()
def judge(name: str, weights: dict[str, Tensor], reading: tuple[Tensor, Tensor], lesson: Lesson, taught: Lesson) -> str:
    """Share of the targets' variance that is explained on clips that were not trained on, scans and rates apart."""
    lesson.mean, lesson.spread = taught.mean, taught.spread
    clips = torch.arange(JUDGED).repeat_interleave(physics.FRAMES - 1)
    x, target = lesson.at(clips, torch.arange(1, physics.FRAMES).repeat(JUDGED))
    said = torch.nn.functional.linear(networks.forward(networks.DESIGNS[name], weights, x), *reading)
    left = ((said - target) ** 2).mean(0) / target.var(0)
    shares = [1 - float(part.mean()) for part in torch.split(left, PARTS)]
    return ", ".join(f"{what} {share:.2f}" for what, share in zip(("scan", "rate"), shares, strict=False))


def recipe(name: str) -> str:
    """What made a network, in one line."""
    if not networks.DESIGNS[name].trained:
        return f"first weights of seed {SEED}, never trained"
    return f"{roadsim.RECIPE}, worlds {SEEDS}, {CLIPS} clips, {STEPS} steps of {BATCH}, rate {RATE}, seed {SEED}"


def main(names: Sequence[str]) -> None:
    """Makes the named networks, or all of them, and says what each has learned."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        seen = films(Path(folder) / "taught", SEEDS[0], CLIPS, 2)
        unseen = films(Path(folder) / "judged", SEEDS[1], JUDGED, 2)
    for name in names or networks.DESIGNS:
        design = networks.DESIGNS[name]
        if design.trained:
            taught, judged = Lesson(seen, design.pictures), Lesson(unseen, design.pictures)
            weights, *reading = train(name, taught)
            learned = judge(name, weights, (reading[0], reading[1]), judged, taught)
        else:
            weights, learned = networks.initial(name, SEED), "nothing"
        digest = networks.keep(name, weights, recipe(name), learned)
        sys.stdout.write(f"{name}: {learned}; {digest[:16]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
