"""The pictures in the README are of the real thing as it is today, and small."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tests import pictures

PICTURES = pictures.ROOT / "docs" / "pictures"


def test_pictures_are_small_and_shown() -> None:
    shown = (pictures.ROOT / "README.md").read_text()
    files = sorted(PICTURES.iterdir())
    assert files
    for file in files:
        assert file.stat().st_size < 150_000, file
        assert f"docs/pictures/{file.name}" in shown, f"just pictures made {file}"


def test_the_screens_picture_says_what_the_screen_says(tmp_path: Path) -> None:
    asyncio.run(pictures.screen(tmp_path / "watch.svg"))
    assert _words(tmp_path / "watch.svg") == _words(PICTURES / "watch.svg"), "just pictures makes them again"


def _words(path: Path) -> list[str]:
    return re.findall(r">([^<>]+)</text>", path.read_text())
