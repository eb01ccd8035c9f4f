"""The users of a campaign's server, each with a password that was drawn for it alone."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable

import msgspec

from events.errors import CredentialRefused
from events.folder import Campaign
from events.wire import credentials, invitations
from events.wire.credentials import OBSERVERS, Credential, write_secret
from events.wire.permissions import MACHINES, OWNER, machines

KEPT = (OWNER, "person", "reader")
"""Users whose credentials lie in the campaign's folder: who makes the stream, who declares, who looks."""


def users(folder: Campaign, authors: Iterable[str]) -> dict[str, Credential]:
    """Return every user of a server by name, without its address: those that are kept, and one for each author.

    An author of one run needs no file: what nobody can read, nobody can take.
    """
    kept = {name: _kept(folder, name) for name in KEPT}
    return kept | {author: Credential(url="", user=author, password=_drawn(), author=author) for author in authors}


def write_machines(folder: Campaign) -> None:
    """Write the file of the machines that were invited; a running server reads it when told.

    Raises:
        CredentialRefused: an invitation cannot be read.
    """
    write_secret(folder.credentials / MACHINES, machines(folder.name, invitations.load_all(folder)).encode())


def _kept(folder: Campaign, name: str) -> Credential:
    # A campaign keeps its passwords, so that what somebody was given outlives the server's restart.
    known = Credential(url="")
    with contextlib.suppress(CredentialRefused):
        known = credentials.load(folder.credentials / f"{name}.json")
    return msgspec.structs.replace(
        known,
        user=name,
        password=known.password or _drawn(),
        author=(known.author or f"person-{secrets.token_hex(3)}") if name == "person" else None,
        domain=OBSERVERS if name == "reader" else None,
    )


def _drawn() -> str:
    return secrets.token_urlsafe(24)
