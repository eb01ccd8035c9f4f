"""Fixtures of the room's tests: a told campaign, and where long texts lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.blobs import Blobs
from tests.chronicle import Chronicle


@pytest.fixture
def tale() -> Chronicle:
    """A campaign that a person has opened."""
    chronicle = Chronicle()
    chronicle.opened(seed=5)
    return chronicle


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    """An empty folder of blobs."""
    return Blobs(tmp_path / "blobs")
