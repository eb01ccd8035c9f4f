"""Small real videos for tests: every picture's grey says when it is shown."""

from pathlib import Path

import numpy as np

from kernels import video


def film(path: Path, *, seconds: float = 3.0, shade: int = 0, times: list[float] | None = None) -> Path:
    """A video of 48 by 32 pixels whose brightness rises with time; another `shade`, another content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = times if times is not None else [n / 10 for n in range(round(seconds * 10))]
    grey = np.array([40 + 160 * time / max(shown[-1], 0.1) for time in shown])
    frames = np.tile(grey[:, None, None, None], (1, 32, 48, 3))
    frames[:, shade % 32, (shade // 32) % 48 :, :] = 250
    frames[:, :, shade % 48, :] = 20
    video.write(path, frames.astype(np.uint8), times)
    return path
