"""Invitations: the credential with which a machine lends its devices to a campaign, and what it may do with it.

An invitation has a name, such as `gpu-box`, and so many devices; its user is `worker-gpu-box`, and its authors on the
log are `worker-gpu-box-0`, `worker-gpu-box-1` and so on. NATS compares whole words of a subject, so authors are named
one by one, and no machine can speak for another.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from events.errors import CredentialRefused
from events.folder import Campaign

ROLE = "worker"
"""First word of the name of every user and author that is a worker."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What `credentials/workers/NAME.json` holds, 0600: a machine, its password and how many devices it lends."""

    name: str
    password: str
    devices: int

    @property
    def user(self) -> str:
        """The user that connects."""
        return f"{ROLE}-{self.name}"

    @property
    def authors(self) -> tuple[str, ...]:
        """The authors that it may be, one a device."""
        return tuple(author(self.user, device) for device in range(self.devices))


def author(user: str, device: int) -> str:
    """Return the author that a user is with one of its devices."""
    return f"{user}-{device}"


def is_invited(user: str | None) -> bool:
    """Say whether a user came by an invitation, so that its authors are given."""
    return user is not None and user.startswith(f"{ROLE}-")


def named(name: str) -> str:
    """Return the name unchanged where it can be an invitation's.

    Raises:
        CredentialRefused: it cannot stand in a subject.
    """
    if len(name) > 48 or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise CredentialRefused(f"an invitation's name is 1 to 48 letters, digits, '-' or '_', not {name!r}")
    return name


def place(folder: Campaign, name: str) -> Path:
    """Return where an invitation lies."""
    return folder.credentials / "workers" / f"{name}.json"


def load_all(folder: Campaign) -> list[Invitation]:
    """Return every invitation of a campaign, by name.

    Raises:
        CredentialRefused: one cannot be read.
    """
    found = []
    for path in sorted((folder.credentials / "workers").glob("*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Invitation))
        except (OSError, msgspec.MsgspecError) as error:
            raise CredentialRefused(f"{path} is not an invitation: {error}") from None
    return found
