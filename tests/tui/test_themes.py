"""The theme for eyes that do not tell red from green, seen through such eyes."""

from __future__ import annotations

from itertools import combinations

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.tui.seeing import EYES, difference
from tui.themes import OURS, THEMES

MEANINGS = ("success", "error", "warning", "primary")
"""Live, lost, frozen and recorded: what the badge says in colour."""

APART = 20.0
"""Nine times what is just noticeable."""


def closest(theme: Theme, eye: str | None) -> float:
    """How far the two meanings that look most alike are from one another."""
    colours = theme.to_color_system().generate()
    seen = [Color.parse(colours[meaning]) for meaning in MEANINGS]
    return min(difference(one, other, eye) for one, other in combinations(seen, 2))


@pytest.mark.parametrize("eye", [None, *EYES])
def test_the_colour_blind_theme_keeps_its_meanings_apart_for_every_kind_of_colour_vision(eye: str | None) -> None:
    (ours,) = [theme for theme in OURS if theme.name == THEMES["colour-blind"]]
    assert closest(ours, eye) > APART


def test_a_theme_that_tells_by_red_and_green_does_not() -> None:
    assert closest(BUILTIN_THEMES["gruvbox"], None) > APART
    assert closest(BUILTIN_THEMES["gruvbox"], "deuteranopia") < APART
