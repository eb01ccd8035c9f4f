"""The pictures in the README are of the real thing as it is today, and small."""

from __future__ import annotations

import asyncio
import html
import re
from pathlib import Path

from events.archives import archive
from replay.leaderboard import leaderboard
from replay.measures import Measurement
from tests import pictures

PICTURES = pictures.ROOT / "docs" / "pictures"


def test_pictures_are_small_and_shown() -> None:
    shown = (pictures.ROOT / "README.md").read_text()
    files = sorted(PICTURES.iterdir())
    assert files
    for file in files:
        assert file.stat().st_size < 150_000, file
        assert f"docs/pictures/{file.name}" in shown, f"just pictures made {file}"


def test_the_screens_picture_shows_the_recorded_campaign_and_its_leader() -> None:
    measurement = Measurement()
    measurement.advance(archive.open_file(pictures.GOLDEN).read())
    best = leaderboard(measurement.ledger, top=1)[0]
    words = html.unescape(" ".join(re.findall(r">([^<>]+)</text>", (PICTURES / "watch.svg").read_text())))
    for shown in (measurement.ledger.campaign, best.experiment, f"{best.validation:.4f}"):
        assert shown in words, "just pictures makes it again"


def test_the_screens_picture_can_be_made_again(tmp_path: Path) -> None:
    asyncio.run(pictures.screen(tmp_path / "watch.svg"))
    assert "font-face" not in (tmp_path / "watch.svg").read_text()
