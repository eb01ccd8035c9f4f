"""What is dear to make and only read is made once for all test processes that run side by side."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of this name, made by whichever process asks first; the others wait until it is whole."""
    own = factory.getbasetemp()
    here = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, whole = here / name, here / f"{name}.whole"
    with (here / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            make(folder)
            whole.touch()
    return folder
