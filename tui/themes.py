"""The themes: dark, light, high contrast, and one for eyes that do not tell red from green."""

from __future__ import annotations

from textual.theme import Theme

THEMES = {
    "dark": "textual-dark",
    "light": "myriad-light",
    "contrast": "myriad-contrast",
    "colour-blind": "myriad-colour-blind",
}
"""What a person types, and what Textual calls it."""

OURS = (
    # Textual's own light colours leave live and frozen at a contrast below two.
    Theme(
        name="myriad-light",
        primary="#004578",
        secondary="#5a3d8a",
        accent="#8a4b00",
        warning="#8a4b00",
        error="#a3203f",
        success="#0b6b36",
        foreground="#1f1f1f",
        background="#f4f4f4",
        surface="#ffffff",
        panel="#dcdcdc",
        dark=False,
    ),
    Theme(
        name="myriad-contrast",
        primary="#00ffff",
        secondary="#ffff00",
        accent="#ffff00",
        warning="#ffff00",
        error="#ff5f5f",
        success="#00ff00",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#303030",
        dark=True,
    ),
    # Okabe and Ito, "Color Universal Design", 2008. Of their hues the badge has the four that are furthest apart to all
    # kinds of colour vision; with orange for the yellow, frozen would be near to lost.
    Theme(
        name="myriad-colour-blind",
        primary="#56b4e9",
        secondary="#cc79a7",
        accent="#e69f00",
        warning="#f0e442",
        error="#d55e00",
        success="#0072b2",
        foreground="#f0f0f0",
        background="#101418",
        surface="#182028",
        panel="#24303c",
        dark=True,
    ),
)
