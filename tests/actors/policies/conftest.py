"""Real campaigns of agents that ask models, and nothing left behind by them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.faults.runs import Place, adopting


@pytest.fixture(scope="session")
def _adopted() -> Iterator[None]:
    with adopting():
        yield


@pytest.fixture
def home(_adopted: None) -> Iterator[list[Place]]:
    """Whatever a test makes a place of is cleared away, even when the test fails."""
    made: list[Place] = []
    yield made
    for place in made:
        for pid in place.processes():
            os.kill(pid, signal.SIGKILL)
