"""How a machine is invited to lend its devices to a campaign whose server runs here."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import time
from pathlib import Path

import msgspec

from events.errors import CredentialRefused, LogError, LogLost
from events.folder import Campaign
from events.wire import credentials, invitations, server
from events.wire.address import Address
from events.wire.credentials import LENDERS, Credential, is_loopback, write_secret
from events.wire.invitations import Invitation
from events.wire.users import write_machines

PATIENCE = 10.0
"""Seconds in which a running server must have taken an invitation in."""


def invite(folder: Campaign, name: str, *, devices: int, host: str | None = None) -> Credential:
    """Let a machine in, or change how many devices it lends, and return the credential that it connects with.

    Args:
        name: of the machine; the one invited under it before keeps its password.
        devices: how many it may lend.
        host: under which name or address it reaches this machine; by default where the server listens.

    Raises:
        CredentialRefused: the campaign's server does not run here, or a name cannot be one.
        LogError: the server did not take the invitation in.
    """
    invitations.named(name)
    if devices < 1:
        raise CredentialRefused(f"{name} must lend at least one device, not {devices}")
    if host is not None and not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", host):
        raise CredentialRefused(f"{host} is no host's name or address")
    if (here := server.address(folder)) is None:
        raise CredentialRefused(
            f"campaign {folder.name} is not running on this machine: myriad run {folder.name} --listen ADDRESS:PORT"
        )
    invitation = Invitation(name=name, password=_password(folder, name), devices=devices)
    place = invitations.place(folder, name)
    place.parent.mkdir(mode=0o700, exist_ok=True)
    write_secret(place, msgspec.json.format(msgspec.json.encode(invitation)))
    write_machines(folder)
    local = credentials.load(folder.credentials / "reader.json")
    if host is not None and local.ca is not None:
        _vouch_for(folder, host)
    ca = Path(local.ca).read_text() if local.ca is not None else None
    given = Credential(url=local.url, user=invitation.user, password=invitation.password, ca=ca, domain=LENDERS)
    _let_in(given, folder, here.pid)
    return msgspec.structs.replace(given, url=_reached(here, local.url, host))


def _vouch_for(folder: Campaign, host: str) -> None:
    """Have the server's certificate name a host; it takes it in with the invitation."""
    from events.wire import certificates  # noqa: PLC0415 # only who is open to others waits for it

    certificates.made(folder.credentials / "tls", folder.name, (host,))


def _password(folder: Campaign, name: str) -> str:
    known = (one.password for one in invitations.load_all(folder) if one.name == name)
    return next(known, secrets.token_urlsafe(24))


def _reached(here: Address, url: str, host: str | None) -> str:
    scheme, _, place = url.partition("://")
    port = place.rpartition(":")[2]
    everywhere = here.host in ("0.0.0.0", "::")  # noqa: S104 # a comparison: an address of all is no address to go to
    host = host or (socket.gethostname() if everywhere else here.host)
    if is_loopback(here.host) and not is_loopback(host):
        raise CredentialRefused(
            f"the server listens on {here.host} alone, where {host} is not heard: run it with --listen {host}:{port}"
        )
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _let_in(credential: Credential, folder: Campaign, server_pid: int) -> None:
    """Have the server read its accounts until the machine is let in.

    Measured on 2.15.1: what a new account imports from JetStream is there only when they are read a second time.
    """
    from events.wire import jetstream  # noqa: PLC0415 # nats takes a fifth of a second

    end = time.monotonic() + PATIENCE
    while True:
        os.kill(server_pid, signal.SIGHUP)
        time.sleep(0.05)
        try:
            jetstream.connect(credential, folder.name).close()
        except LogError as refused:
            if time.monotonic() > end:
                raise LogLost(f"the server did not take the invitation in: {refused}") from refused
        else:
            return
