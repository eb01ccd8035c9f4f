"""Which code is running: one digest of all Python files under some folders, and of what encodes for them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec


def code(folders: Iterable[str]) -> str:
    """Return 64 hex digits that change with any byte of any `.py` file below the folders, and with msgspec's version.

    Raises:
        OSError: a file cannot be read.
    """
    digest = sha256(msgspec.__version__.encode())
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(sha256(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes()).digest())
    return digest.hexdigest()
