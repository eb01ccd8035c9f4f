"""Colours as eyes see them: how bright, how far apart, and what is left of them where one kind of cone is missing."""

from __future__ import annotations

import numpy as np
from textual.color import Color

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009,
# table of severity 1.0; they apply to linear RGB.
EYES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}

XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
"""Linear sRGB to CIE XYZ, D65."""


def linear(colour: Color) -> list[float]:
    """Red, green and blue as light, 0 to 1."""
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.normalized]


def contrast(one: Color, other: Color) -> float:
    """The contrast of two colours, from 1 to 21, as WCAG 2.1 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    """The relative luminance of a colour, as WCAG 2.1 defines it."""
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def difference(one: Color, other: Color, eye: str | None) -> float:
    """The CIE 1976 difference of two colours to an eye, None for one that sees them all; 2.3 is just noticeable."""
    return float(np.linalg.norm(lab(one, eye) - lab(other, eye)))


def lab(colour: Color, eye: str | None) -> np.ndarray:
    """CIE L*a*b* of a colour as an eye sees it."""
    light = np.array(linear(colour))
    seen = np.clip(np.array(EYES[eye]) @ light, 0.0, 1.0) if eye is not None else light
    t = np.array(XYZ) @ seen / np.array(XYZ).sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array((116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])))
