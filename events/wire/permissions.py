"""The embedded server's settings: what it listens on, how it keeps frames, and what each of its users may do.

A server checks the subject that a user publishes to, never the reply that it asks for: whoever may ask JetStream inside
an account may have the answer sent to any subject of it, the log's own among them. So observers have an account of
their own. Its users reach the reading half of the API through imports, and an answer never leaves their account.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from events import subjects
from events.folder import Campaign
from events.wire.credentials import OBSERVERS, Credential, api_of

OWNER = "owner"
"""The user who makes the stream, and may do everything."""


class Rights(NamedTuple):
    """The subjects that a user may publish to, and those that it may hear."""

    publish: tuple[str, ...]
    hear: tuple[str, ...]


def rights(campaign: str, credential: Credential) -> Rights:
    """Return what a user may do: all, for the owner; look; or speak as its author and nobody else."""
    if credential.user == OWNER:
        return Rights((">",), (">",))
    heard = ("_INBOX.>", subjects.pulse(campaign, "*"))
    reads = _reads(campaign, credential.api)
    if credential.author is None:
        return Rights(reads, heard)
    own = (subjects.own(campaign, credential.author), subjects.pulse(campaign, credential.author))
    return Rights((*own, *reads), heard)


def config(
    folder: Campaign,
    credentials: Iterable[Credential],
    *,
    port: int,
    room: int,
    sync: str,
    websocket: int | None = None,
) -> str:
    """Return the server's configuration file; every string in it is quoted as JSON, which the server reads.

    Args:
        credentials: of every user.
        websocket: port of a listener for browsers on the loopback address; None for none.
    """
    users: dict[str | None, list[str]] = {None: [], OBSERVERS: []}
    for credential in credentials:
        users[credential.domain].append(_user(credential, rights(folder.name, credential)))
    return f"""
server_name: {json.dumps(f"myriad-{folder.name}")}
listen: "127.0.0.1:{port or -1}"
ports_file_dir: {json.dumps(str(folder.store))}
log_file: {json.dumps(str(folder.store / "server.log"))}
max_payload: 1048576
write_deadline: "20s"
jetstream {{
  store_dir: {json.dumps(str(folder.store))}
  max_file_store: {room}
  sync_interval: {sync}
}}
accounts {{
  campaign {{
    jetstream: enabled
    users = [
{chr(10).join(users[None])}
    ]
    exports = [
{_exports(folder.name)}
    ]
  }}
  {OBSERVERS} {{
    users = [
{chr(10).join(users[OBSERVERS])}
    ]
    imports = [
{_imports(folder.name)}
    ]
  }}
}}
{_websocket(websocket)}"""


def _websocket(port: int | None) -> str:
    # Without TLS, since it is bound to this machine; the password travels no further.
    return "" if port is None else f'websocket {{ listen: "127.0.0.1:{port or -1}", no_tls: true }}\n'


def _user(credential: Credential, rights: Rights) -> str:
    publish, hear = json.dumps(rights.publish), json.dumps(rights.hear)
    allowed = f"publish: {{ allow: {publish} }}, subscribe: {{ allow: {hear} }}"
    name, password = json.dumps(credential.user), json.dumps(credential.password)
    return f"      {{ user: {name}, password: {password}, permissions: {{ {allowed} }} }}"


def _reads(campaign: str, api: str) -> tuple[str, ...]:
    stream = f"myriad-{campaign}"
    consumer = (f"{api}.CONSUMER.{verb}.{stream}.>" for verb in ("CREATE", "INFO", "MSG.NEXT"))
    return (f"{api}.STREAM.INFO.{stream}", *consumer)


def _exports(campaign: str) -> str:
    to = f"accounts: [{OBSERVERS}]"
    services = "\n".join(
        f"      {{ service: {json.dumps(subject)}, response_type: stream, {to} }}"
        for subject in _reads(campaign, api_of(None))
    )
    return f"{services}\n      {{ stream: {json.dumps(subjects.pulse(campaign, '*'))}, {to} }}"


def _imports(campaign: str) -> str:
    pairs = zip(_reads(campaign, api_of(None)), _reads(campaign, api_of(OBSERVERS)), strict=True)
    services = "\n".join(
        f"      {{ service: {{ account: campaign, subject: {json.dumps(there)} }}, to: {json.dumps(here)} }}"
        for there, here in pairs
    )
    pulses = json.dumps(subjects.pulse(campaign, "*"))
    return f"{services}\n      {{ stream: {{ account: campaign, subject: {pulses} }} }}"
