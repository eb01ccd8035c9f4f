"""Seeds: every draw of a campaign follows from its one seed and the name of what draws."""

from __future__ import annotations

from hashlib import blake2b


def seed_of(campaign: int, *names: str) -> int:
    """Return a seed in [0, 2^53) for what the names name: the same names, the same seed, on any machine."""
    text = "\x1f".join((str(campaign), *names)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 11
