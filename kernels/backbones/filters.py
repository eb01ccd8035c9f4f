"""Feature extractors without any learned weight: what one picture shows, and what moves between two.

Both read luminance of any size and describe it through overlapping Gaussian windows: a column is one number about one
place.
"""

import numpy as np
from numpy.typing import NDArray

from kernels.backbones.backbone import Backbone, Floats, Pixels

HORIZON, LENS, MOUNT = 26 / 64, 83 / 96, 1.3  # of the height, of the width, metres: where the road lies in the picture
DEPTHS = (4.5, 6.5, 9.0, 12.5, 18.0)  # metres ahead
LATERALS = (-3.6, -1.8, 0.0, 1.8, 3.6)  # metres to the right
ROWS = (0.36, 0.47, 0.6)  # of the height
COLUMNS = (0.14, 0.26, 0.38, 0.5, 0.62, 0.74, 0.86)  # of the width


def appearance(pictures: Pixels) -> Floats:
    """What is where in one picture: brightness, shadow and edge strength at places of equal size on the road.

    Args:
        pictures: luminance [STEPS, 1, height, width].
    """
    light = _luminance(pictures)[:, 0]
    down, across = _slopes(light)
    shadow = np.maximum(np.float32(0.3) - light, 0)
    windows = _road_windows(*light.shape[1:])
    channels = np.stack([light, shadow, down**2 + across**2], 1).reshape(len(light), 3, -1)
    pooled = channels @ windows.T
    pooled[:, 2] = np.sqrt(pooled[:, 2])
    return pooled.reshape(len(light), -1)


def motion(pictures: Pixels) -> Floats:
    """What moves between two pictures: shift, expansion (looming), contrast and change of each window.

    Each window's (u, v, s) minimises the squared residual of Ix (u + s dx) + Iy (v + s dy) + It, with a ridge that
    keeps empty windows at rest (Lucas and Kanade 1981, with one more unknown, the rate of expansion).

    Args:
        pictures: luminance [STEPS, 2, height, width], older first.
    """
    light = _luminance(pictures)
    middle: Floats = (light[:, 0] + light[:, 1]) * np.float32(0.5)
    down, across = _slopes(middle)
    height, width = middle.shape[1:]
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * height / width
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    basis = (across, down, across * x + down * y, light[:, 1] - light[:, 0])
    moments = np.empty((len(middle), len(ROWS) * len(COLUMNS), 4, 4))
    for i in range(4):
        for j in range(i, 4):
            moments[..., i, j] = moments[..., j, i] = _pool(basis[i] * basis[j])
    return np.concatenate([_flow(moments), _strength(moments)], -1).reshape(len(middle), -1)


def _flow(moments: NDArray[np.float64]) -> Floats:
    """Shift and expansion [.., 3] of each window from the pooled products [.., 4, 4] of (Ix, Iy, Ix x + Iy y, It)."""
    centres = np.array([((c - 0.5), (r - 0.5) * 64 / 96) for r in ROWS for c in COLUMNS])
    shift = np.tile(np.eye(4), (len(centres), 1, 1))
    shift[:, 2, :2] = -centres
    local = shift @ moments @ shift.transpose(0, 2, 1)
    ridge = np.diag([2e-4, 2e-4, 2e-5])
    solved = np.linalg.solve(local[..., :3, :3] + ridge, -local[..., :3, 3:])[..., 0]
    flow: Floats = (solved * np.array([1.0, 1.0, 0.1])).astype(np.float32)
    return flow


def _strength(moments: NDArray[np.float64]) -> Floats:
    contrast = np.sqrt(moments[..., 0, 0] + moments[..., 1, 1])
    change = np.sqrt(moments[..., 3, 3])
    return np.stack([contrast, change], -1).astype(np.float32)


def _luminance(pictures: Pixels) -> Floats:
    """Blurred luminance relative to the mean of each step's pictures, so that a darker day is no other scene."""
    light = pictures.astype(np.float32)
    light /= light.mean((1, 2, 3), keepdims=True) * 2 + 1
    for axis in (2, 3):
        for _ in range(2):
            light = _blur(light, axis)
    return light


def _blur(light: Floats, axis: int) -> Floats:
    ahead, behind = np.roll(light, 1, axis), np.roll(light, -1, axis)
    blurred: Floats = light * np.float32(0.5) + (ahead + behind) * np.float32(0.25)
    return blurred


def _slopes(light: Floats) -> tuple[Floats, Floats]:
    """Change per pixel downwards and to the right, zero on the border (where the blur wraps round)."""
    down, across = np.zeros_like(light), np.zeros_like(light)
    inner = (slice(None), slice(3, -3), slice(3, -3))
    down[inner] = (light[:, 4:-2, 3:-3] - light[:, 2:-4, 3:-3]) / 2
    across[inner] = (light[:, 3:-3, 4:-2] - light[:, 3:-3, 2:-4]) / 2
    return down, across


def _pool(image: Floats) -> Floats:
    """Sums [.., cells] of an image [.., height, width] under the windows of the upright grid, row by row."""
    height, width = image.shape[1:]
    rows = _bells(np.array(ROWS) * height, height, 0.085 * height)
    columns = _bells(np.array(COLUMNS) * width, width, 0.07 * width)
    return (rows @ (image @ columns.T)).reshape(len(image), -1)


def _road_windows(height: int, width: int) -> Floats:
    """Windows [cells, height * width] centred where a car stands on the road at each depth and side."""
    windows = []
    for depth in DEPTHS:
        scale = LENS * width / depth
        row = HORIZON * height + MOUNT * scale
        rows = _bells(np.array([row - 0.5 * scale]), height, max(0.45 * scale, 1.5))
        columns = _bells(width / 2 + np.array(LATERALS) * scale, width, max(0.8 * scale, 1.5))
        windows.append((rows[:, :, None] * columns[:, None, :]).reshape(len(LATERALS), -1))
    return np.concatenate(windows).astype(np.float32)


def _bells(centres: NDArray[np.float64], size: int, spread: float) -> Floats:
    """Gaussian windows [centres, size] that each sum to one over an endless axis."""
    places = np.arange(size) + 0.5
    bells = np.exp(-(((places - centres[:, None]) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
    windows: Floats = bells.astype(np.float32)
    return windows


SOURCE = ("backbones/backbone.py", "backbones/filters.py")
BLURRED = "luminance over its mean, two binomial blurs"
BACKBONES = {
    backbone.name: backbone
    for backbone in (
        Backbone("appearance", 1, 75, BLURRED, appearance, SOURCE),
        Backbone("motion", 2, 105, f"{BLURRED}, 0.1 s apart", motion, SOURCE),
    )
}


def backbone(name: str) -> Backbone:
    """One of the two by its name."""
    return BACKBONES[name]
