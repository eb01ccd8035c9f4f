"""What roadsim's dash camera sees: a 2.5-D pinhole view of a road, its lines and boxes for cars."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 96, 64  # pixels
FOCAL = 83.0  # pixels: a horizontal view of 60 degrees
MOUNT = 1.3  # metres of the lens above the road
SKYLINE = 26.0  # row of the horizon when the car does not pitch
LINES = ((-5.4, 0.0), (-1.8, 9.0), (1.8, 9.0), (5.4, 0.0))  # metres from the lane's centre, metres between dashes

NEAREST = 1.5  # metres: what is nearer fills no box

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Vehicle:
    """One car: positions [frames, 2] (x, z metres), size in metres, body and lamp colours [3] in 0..255."""

    path: NDArray[np.float64]
    width: float
    height: float
    body: Floats
    lamps: Floats


@dataclass(frozen=True)
class Weather:
    """What the light does to one clip: sky and road colours [3], a gain, and the sensor's noise (levels of 255)."""

    sky: Floats
    road: Floats
    gain: float
    noise: float


def film(
    rng: np.random.Generator, vehicles: list[Vehicle], weather: Weather, pitch: NDArray[np.float64], travelled: Floats
) -> Pixels:
    """Frames [frames, HEIGHT, WIDTH, 3] of one clip; `pitch` in pixels and `travelled` in metres, per frame."""
    skyline = (SKYLINE + pitch).astype(np.float32)
    frames = _road(weather, skyline, travelled)
    for moment in range(len(frames)):
        for vehicle in sorted(vehicles, key=lambda car: -car.path[moment, 1]):
            _car(frames[moment], vehicle, vehicle.path[moment], skyline[moment])
    frames *= np.float32(weather.gain)
    frames += rng.standard_normal((*frames.shape[:3], 1), dtype=np.float32) * np.float32(weather.noise)
    return np.clip(frames, 0, 255, out=frames).astype(np.uint8)


def recorded(frames: int, every: int) -> NDArray[np.intp]:
    """Which picture each frame of the file holds, [frames], where the recorder takes only each `every`-th.

    It fills the frames before a picture with that picture, and the last frame is always taken: where a clip ends is
    seen alike whatever the recorder.
    """
    before_end = frames - 1 - np.arange(frames)
    held: NDArray[np.intp] = frames - 1 - before_end // every * every
    return held


def _road(weather: Weather, skyline: Floats, travelled: Floats) -> Floats:
    rows = np.arange(HEIGHT, dtype=np.float32)[None, :] + 0.5
    below = rows - skyline[:, None]
    depth = FOCAL * MOUNT / np.maximum(below, 0.5)
    ground = np.clip(below + 0.5, 0, 1)[..., None]
    plain = weather.sky * (1 - ground) * (0.75 + 0.25 * rows / HEIGHT)[..., None] + weather.road * ground
    frames = np.repeat(plain[:, :, None, :], WIDTH, axis=2).astype(np.float32)
    columns = np.arange(WIDTH, dtype=np.float32) + 0.5
    paint = np.zeros(frames.shape[:3], np.float32)
    for lateral, period in LINES:
        centre = WIDTH / 2 + FOCAL * lateral / depth
        half = FOCAL * 0.09 / depth
        cover = np.clip(half[..., None] + 0.5 - np.abs(columns - centre[..., None]), 0, 1)
        if period:
            cover *= (np.mod(depth + travelled[:, None], period) < period / 3)[..., None]
        paint += cover
    paint *= ((below > 1.0) & (depth < 45))[..., None]
    frames += paint[..., None] * (np.float32(215) - frames)
    return frames


def _car(frame: Floats, vehicle: Vehicle, place: NDArray[np.float64], skyline: np.float32) -> None:
    x, z = place
    if z < NEAREST:
        return
    scale = FOCAL / z
    centre, floor = WIDTH / 2 + x * scale, float(skyline) + MOUNT * scale
    half, tall = vehicle.width / 2 * scale, vehicle.height * scale
    shade = np.float32(20)
    _box(frame, centre - half * 1.1, centre + half * 1.1, floor - 0.05 * tall, floor + 0.07 * tall, shade)
    _box(frame, centre - half, centre + half, floor - tall * 0.62, floor - 0.05 * tall, vehicle.body)
    glass = vehicle.body * np.float32(0.45)
    _box(frame, centre - half * 0.8, centre + half * 0.8, floor - tall, floor - tall * 0.6, glass)
    for side in (-0.78, 0.78):
        middle = centre + side * half
        _box(frame, middle - half * 0.2, middle + half * 0.2, floor - tall * 0.5, floor - tall * 0.36, vehicle.lamps)


def _box(  # noqa: PLR0917 - the four edges are read in this order everywhere
    frame: Floats, left: float, right: float, top: float, bottom: float, colour: Floats | np.float32
) -> None:
    """Paints a rectangle whose edges may lie between pixels, by the share of each pixel it covers."""
    c0, c1 = max(int(left), 0), min(int(right) + 1, WIDTH)
    r0, r1 = max(int(top), 0), min(int(bottom) + 1, HEIGHT)
    if c0 >= c1 or r0 >= r1:
        return
    across, down = np.arange(c0, c1), np.arange(r0, r1)
    wide = np.minimum(across + 1, right) - np.maximum(across, left)
    high = np.minimum(down + 1, bottom) - np.maximum(down, top)
    cover = np.outer(high, wide).astype(np.float32)[..., None]
    patch = frame[r0:r1, c0:c1]
    patch += cover * (colour - patch)
