"""A tiny campaign ready to be run, and nothing left behind by it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from events.folder import Campaign as Folder
from tests.faults.runs import MANY, Place, adopting
from tests.tiny import ALONE


@pytest.fixture(scope="session", autouse=True)
def _adopted() -> Iterator[None]:
    with adopting():
        yield


@pytest.fixture
def places(world: Folder, tmp_path: Path) -> Iterator[list[Place]]:
    """Whatever a test makes a place of is cleared away, even when the test fails."""
    made: list[Place] = []
    yield made
    for place in made:
        for pid in place.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def place(world: Folder, tmp_path: Path, places: list[Place]) -> Place:
    """A campaign of six experiments whose clips and features are there."""
    places.append(Place(tmp_path, world))
    return places[-1]


@pytest.fixture
def long(world: Folder, tmp_path: Path, places: list[Place]) -> Place:
    """A campaign of some seconds: long enough to be disturbed, and short enough to be brought to its end."""
    places.append(Place(tmp_path, world, ("experiments = 6", f"experiments = {MANY}")))
    return places[-1]


@pytest.fixture
def endless(world: Folder, tmp_path: Path, places: list[Place]) -> Place:
    """A campaign that no machine brings to its end before the test does."""
    places.append(Place(tmp_path, world, ("experiments = 6", "experiments = 5000"), ALONE))
    return places[-1]
