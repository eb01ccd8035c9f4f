"""The licences of what is installed beside us, as metadata say; `python -m tests.licences` writes the page."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"

NOT_EVERYWHERE = {"triton": "MIT"}
"""Distributions that only some platforms have, with what their metadata say there."""

OURS = """# Licences of what is installed beside Myriad

Myriad is MIT. Every dependency is pinned in `constraints.txt`, the dependencies of dependencies too; this page lists
them with the licence that each one's own metadata name. `just licences` writes it again, and `tests/test_licences.py`
holds it to what is installed. torch brings the libraries of its own build, which are not listed; its pin is.

| distribution | version | licence |
|---|---|---|
"""


def page() -> str:
    """Return the page, from the pins and from the metadata of what is installed."""
    pins = [line.split("==") for line in (ROOT / "constraints.txt").read_text().split()]
    rows = [
        f"| {name} | {version} | {licence(name)} |" for name, version in sorted(pins, key=lambda pin: pin[0].lower())
    ]
    return OURS + "\n".join(rows) + "\n"


def licence(name: str) -> str:
    """Return what a distribution says its licence is: the expression, else the classifiers, else the first line."""
    if name in NOT_EVERYWHERE:
        return NOT_EVERYWHERE[name]
    told = metadata.metadata(name)
    if expression := told.get("License-Expression"):
        return str(expression)
    classified = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier") or () if c.startswith("License ::")]
    if classified := [c for c in classified if c != "OSI Approved"]:
        return "; ".join(sorted(classified))
    first = str(told.get("License") or "").strip().splitlines()
    if first and len(first[0]) < 60:
        return re.sub(r"\s+", " ", first[0])
    return "not said"


if __name__ == "__main__":
    PAGE.write_text(page())
