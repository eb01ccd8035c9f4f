"""A step captured once on a GPU as a graph and replayed ever after: the host says "again", and waits for nothing.

The step must find what changes from one step to the next in tensors that stay where they are, its own count included;
it may make no tensor from numbers of the host and ask for none. `tests/kernels/test_capture.py` holds training to that
on any machine. Not yet run on a GPU.
"""

from collections.abc import Callable

import torch

WARM_UP = 3  # steps that are taken as they are: libraries choose their routines, and tiles are compiled, in the first


class Captured:
    """Takes a step as it is at first, then as a graph."""

    def __init__(self, step: Callable[[], None], device: torch.device | str) -> None:
        """Keeps a step on a CUDA device; nothing is taken yet."""
        self._step, self._device, self._taken = step, torch.device(device), 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call] # torch leaves it untyped

    def __call__(self) -> None:
        """Takes the next step; returns before the device has."""
        if self._graph is None and self._taken == WARM_UP:
            self._graph = self._capture()
        if self._graph is None:
            self._aside()
        else:
            self._graph.replay()
        self._taken += 1

    def _aside(self) -> None:
        """On the stream that it will be captured on, so that all that lasts is made there."""
        here = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            self._step()
        here.wait_stream(self._stream)

    def _capture(self) -> torch.cuda.CUDAGraph:
        """Records the step's launches; none of them runs."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            self._step()
        return graph
