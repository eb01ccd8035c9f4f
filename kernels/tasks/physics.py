"""How vehicles move in roadsim and when that is a collision: relative positions, never pixels.

All positions are relative to the camera car: x metres to the right of its lane's centre, z metres ahead of its bumper.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FRAMES = 64  # 6.4 s at 10 frames a second: 32 steps at 5 a second
INTERVAL = 0.1  # seconds between frames
MANOEUVRES = 3  # places a vehicle passes between a clip's ends
HORIZON = 1.5  # seconds after the clip's end within which a collision makes the clip positive
CLEAR = 2.3  # seconds that a negative must stay free of collision, so that no clip lies on the boundary
TOUCH_X, TOUCH_Z = 1.8, 1.0  # metres: two cars overlap when closer than this in both directions
WOBBLE = np.array([0.2, 0.7])  # metres, x and z, of each of two swings
NEAR_TIME = 0.7  # seconds: an in-lane gap that closes sooner counts as a collision

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """Position [2] (x, z), velocity [2] and acceleration [2] of one vehicle at one moment; metres and seconds."""

    position: Array
    velocity: Array
    acceleration: Array

    def reversed(self) -> "Motion":
        """The same moment with time running backwards."""
        return Motion(self.position, -self.velocity, self.acceleration)


def collision_after(motion: Motion, within: float) -> float | None:
    """Seconds until the vehicle hits the camera car at constant acceleration, or None; integrated at 50 Hz."""
    times = np.arange(0.0, within + 1e-9, 0.02)[:, None]
    path = motion.position + motion.velocity * times + motion.acceleration * times**2 / 2
    speed = motion.velocity + motion.acceleration * times
    in_lane = np.abs(path[:, 0]) < TOUCH_X
    closing = path[:, 1] / np.maximum(-speed[:, 1], 1e-6)
    hit = in_lane & ((np.abs(path[:, 1]) < TOUCH_Z) | ((closing > 0) & (closing < NEAR_TIME)))
    return float(times[np.argmax(hit), 0]) if hit.any() else None


def moments() -> Array:
    """Seconds since the clip began, of each frame, [FRAMES]."""
    return np.arange(FRAMES, dtype=np.float64) * INTERVAL


def draw_position(rng: np.random.Generator) -> Array:
    """A place where a clip may begin or end; the same law for both classes and both ends of the clip."""
    return np.array([rng.uniform(-2.6, 2.6), rng.uniform(7.0, 14.0)])


def draw_motion(rng: np.random.Generator, position: Array, *, collides: bool) -> Motion:
    """A velocity and an acceleration at `position`, redrawn until physics gives the wanted label."""
    while True:
        velocity = np.array([rng.uniform(-3.0, 3.0), rng.uniform(-11.0, 11.0)])
        motion = Motion(position, velocity, np.array([rng.uniform(-0.8, 0.8), rng.uniform(-2.0, 2.0)]))
        hit = collision_after(motion, CLEAR)
        if (hit is None) if not collides else (hit is not None and 0.1 <= hit <= HORIZON):
            return motion


def trajectory(rng: np.random.Generator, start: Motion, end: Motion) -> Array:
    """Positions [FRAMES, 2] from `start` to `end` through free places, smooth but for a wobble."""
    still = np.zeros(2)
    middle = [
        Motion(np.array([rng.uniform(-3.4, 3.4), rng.uniform(7.0, 18.0)]), rng.uniform([-2.0, -7.0], [2.0, 7.0]), still)
        for _ in range(MANOEUVRES)
    ]
    knots = [start, *middle, end]
    seconds = (FRAMES - 1) * INTERVAL / (len(knots) - 1)
    times = moments()
    piece = np.minimum((times / seconds).astype(int), len(knots) - 2)
    coefficients = np.stack([_quintic(a, b, seconds) for a, b in pairwise(knots)])
    fraction = (times - piece * seconds) / seconds
    powers = fraction[:, None] ** np.arange(6)
    path: Array = np.einsum("tp,tpc->tc", powers, coefficients[piece])
    path += _wobble(rng, times)
    path[:, 1] = np.maximum(path[:, 1], 3.5)
    return path


def _wobble(rng: np.random.Generator, times: Array) -> Array:
    """Small swings [FRAMES, 2] around the path that no label depends on: hands and feet are never still.

    They make two neighbouring pictures a poor witness of a velocity that several show well.
    """
    hertz, phase = rng.uniform(0.8, 2.0, (2, 2)), rng.uniform(0, 2 * np.pi, (2, 2))
    swings = np.sin(2 * np.pi * hertz * times[:, None, None] + phase)
    wobble: Array = (WOBBLE * swings).sum(1)
    return wobble


def _quintic(a: Motion, b: Motion, seconds: float) -> Array:
    """Coefficients [6, 2] in the fraction of the piece, matching both ends to the second derivative."""
    v0, v1 = a.velocity * seconds, b.velocity * seconds
    a0, a1 = a.acceleration * seconds**2 / 2, b.acceleration * seconds**2 / 2
    gap = b.position - a.position - v0 - a0
    slope, bend = v1 - v0 - 2 * a0, a1 - a0
    return np.stack(
        [a.position, v0, a0, 10 * gap - 4 * slope + bend, -15 * gap + 7 * slope - 2 * bend, 6 * gap - 3 * slope + bend]
    )


def alert_time(path: Array, end: Motion) -> float:
    """Seconds before the clip's end since when constant acceleration has foretold the collision; at least one frame."""
    speed = np.gradient(path, INTERVAL, axis=0)
    bend = np.gradient(speed, INTERVAL, axis=0)
    count = 1
    while count < FRAMES - 2:
        moment = FRAMES - 1 - count
        ahead = collision_after(Motion(path[moment], speed[moment], bend[moment]), HORIZON + count * INTERVAL)
        if ahead is None:
            break
        count += 1
    return count * INTERVAL if collision_after(end, HORIZON) is not None else 0.0
