"""Pictures of the real thing for the README: the screen and a figure of a recorded demo, made by `just pictures`.

python -m tests.pictures [FOLDER]
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from events.archives import archive
from tests.tui.watching import PANELS, lines, until
from tui.app import WatchApp

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden" / "vocabulary-2.myriad"
FIGURE = "figure2-convergence"
"""The figure that the README shows."""


async def screen(path: Path) -> None:
    """Write the screen over the recorded campaign as SVG, once every panel says something."""
    log = archive.open_file(GOLDEN)
    app = WatchApp(log)
    async with app.run_test(size=(118, 36)) as pilot:
        await until(pilot, lambda: app.watching.shown.subject.through >= log.last())
        await until(pilot, lambda: all(lines(app, panel) for panel in PANELS))
        await pilot.pause()
        svg = app.export_screenshot(title="myriad watch demo")
    # Textual names each picture's styles by chance, and fetches a font: the same bytes for the same screen, from here.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    path.write_text(re.sub(r"terminal-\d+", "terminal", svg))


def figure(path: Path) -> None:
    """Write one of the figures that `myriad replay demo figures` draws."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["replay", str(GOLDEN), "figures", "--out", folder]
        subprocess.run([sys.executable, "-c", "import myriad; myriad.main()", *words], check=True, cwd=ROOT)
        path.write_bytes((Path(folder) / f"{FIGURE}.svg").read_bytes())


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures"
    where.mkdir(exist_ok=True)
    asyncio.run(screen(where / "watch.svg"))
    figure(where / "convergence.svg")
