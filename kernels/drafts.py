"""An array of features while it is being made: rows arrive one by one, and those that did survive a killed process."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernels.files import replacing

Floats = NDArray[np.float32]


class Draft:
    """Rows of an array on the disk, and beside it which of them are whole."""

    def __init__(self, folder: Path, name: str, recipe: str, shape: tuple[int, ...]) -> None:
        """Goes on with a draft of the same recipe and shape, or begins one."""
        self._values, self._done, self._said = (folder / f"{name}.draft{end}" for end in (".values", ".done", ".txt"))
        said = f"{recipe} {shape}"
        goes_on = self._said.exists() and self._said.read_text(encoding="utf-8") == said
        mode: Literal["r+", "w+"] = "r+" if goes_on else "w+"
        self.values: Floats = np.memmap(self._values, np.dtype(np.float32), mode, shape=shape)
        self.done: NDArray[np.bool_] = np.memmap(self._done, np.dtype(np.bool_), mode, shape=shape[:1])
        if not goes_on:
            with replacing(self._said) as partial:
                partial.write_text(said, encoding="utf-8")

    @property
    def missing(self) -> list[int]:
        """The rows that are not there yet."""
        return [int(row) for row in np.flatnonzero(~self.done)]

    def put(self, row: int, values: Floats) -> None:
        """Writes a row, and only then that it is whole."""
        self.values[row] = values
        self.done[row] = True

    def discard(self) -> None:
        """Removes the draft's files."""
        for path in (self._said, self._done, self._values):
            path.unlink(missing_ok=True)
