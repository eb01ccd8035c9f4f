"""What is told to nobody: secrets of the environment, and passwords in addresses, struck out of what is kept."""

from __future__ import annotations

import os
import re

SECRET_WORDS = ("key", "token", "password", "secret", "credential")
"""A field or an environment variable whose name holds one of these is secret."""

STRUCK = "(struck out)"

SHORTEST = 8
"""Characters of a secret; a shorter value would strike out words that only look like it."""

_PASSWORD_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def is_secret(name: str) -> bool:
    """Say whether what goes by this name is secret."""
    return any(word in name.lower() for word in SECRET_WORDS)


def without_secrets(text: str) -> str:
    """Return a text without the values of secret environment variables and without passwords in addresses."""
    for name, value in os.environ.items():
        if is_secret(name) and len(value) >= SHORTEST:
            text = text.replace(value, STRUCK)
    return _PASSWORD_IN_URL.sub(STRUCK, text)
