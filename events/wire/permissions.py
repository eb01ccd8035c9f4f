"""The embedded server's settings: what it listens on, how it keeps frames, and what each of its users may do.

A server checks the subject that a user publishes to, never the reply that it asks for: whoever may ask JetStream inside
an account may have the answer sent to any subject of it, the log's own among them. So observers have an account of
their own. Its users reach the reading half of the API through imports, and an answer never leaves their account. So has
each machine that lends devices: it imports, subject by subject, what it may say beside what it may read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from events import subjects
from events.authors import role_of
from events.folder import Campaign
from events.wire.credentials import LENDERS, OBSERVERS, Credential, api_of
from events.wire.invitations import Invitation

OWNER = "owner"
"""The user who makes the stream, and may do everything."""


MACHINES = "machines.conf"
"""The file of the machines' accounts, in the folder of the configuration: it can change while the server runs."""


class Certificates(NamedTuple):
    """Paths: of the authority's certificate, the server's own, and its key."""

    authority: Path
    server: Path
    key: Path


class Listening(NamedTuple):
    """Where a server listens; `tls` is needed wherever others than this machine may reach it."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: Certificates | None = None

    def url(self, port: int) -> str:
        """Return how this machine reaches the server, once it has its port; an address of all is no address."""
        everywhere = self.host in ("0.0.0.0", "::")  # noqa: S104 # a comparison; who listens there needs TLS
        host = "127.0.0.1" if everywhere else self.host
        return f"{'tls' if self.tls is not None else 'nats'}://{f'[{host}]' if ':' in host else host}:{port}"


LOOPBACK = Listening()
"""A free port that this machine alone reaches."""


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
    own: tuple[str, ...] = (subjects.own(campaign, credential.author), subjects.pulse(campaign, credential.author))
    if role_of(credential.author) == "person":
        own += _shares(campaign)
    return Rights((*own, *reads), heard)


def _shares(campaign: str) -> tuple[str, ...]:
    """Return what whoever runs a campaign may say for machines elsewhere: files, calls, and what it reads of theirs."""
    buckets = (subjects.files(campaign), subjects.returns(campaign))
    reads = [subject for bucket in buckets for subject in _reading(subjects.kept(bucket), api_of(None))]
    return (f"$O.{buckets[0]}.C.*", f"$O.{buckets[0]}.M.*", subjects.call(campaign), *reads)


def config(
    folder: Campaign,
    credentials: Iterable[Credential],
    *,
    listening: Listening = LOOPBACK,
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
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    return f"""
server_name: {json.dumps(f"myriad-{folder.name}")}
listen: {json.dumps(f"{host}:{listening.port or -1}")}
ports_file_dir: {json.dumps(str(folder.store))}
log_file: {json.dumps(str(folder.store / "server.log"))}
max_payload: 1048576
write_deadline: "20s"
ping_interval: "15s"
ping_max: 2
{_tls(listening.tls)}
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
  include {json.dumps(MACHINES)}
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


def _tls(files: Certificates | None) -> str:
    if files is None:
        return ""
    return f"tls {{ cert_file: {json.dumps(str(files.server))}, key_file: {json.dumps(str(files.key))} }}"


def machines(campaign: str, invited: Iterable[Invitation]) -> str:
    """Return the file of the accounts of machines that lend devices."""
    return "\n".join(_machine(campaign, invitation) for invitation in invited)


def _machine(campaign: str, invitation: Invitation) -> str:
    said, lent = _said(campaign, invitation.authors), subjects.lent(campaign, invitation.user)
    reads = _lent_reads(campaign)
    publish = (*said, *(subject.replace(api_of(None), api_of(LENDERS), 1) for subject in reads), lent)
    user = _user(
        Credential(url="", user=invitation.user, password=invitation.password),
        Rights(publish, ("_INBOX.>", subjects.call(campaign), lent)),
    )
    services = [*((subject, subject) for subject in said)]
    services += [(subject, subject.replace(api_of(None), api_of(LENDERS), 1)) for subject in reads]
    return f"""
  {json.dumps(invitation.user)} {{
    users = [
{user}
    ]
    imports = [
{_imported(services, subjects.call(campaign))}
    ]
  }}"""


def _said(campaign: str, authors: Iterable[str]) -> tuple[str, ...]:
    """Return what a machine may say: its own words, its own pulses, its own files."""
    own: list[str] = []
    for name in authors:
        own += [
            subjects.subject(campaign, "worker", name, name),
            subjects.subject(campaign, "pack", "*", name),
            subjects.pulse(campaign, name),
        ]
    returned = subjects.returns(campaign)
    return (*own, f"$O.{returned}.C.*", f"$O.{returned}.M.*")


def _lent_reads(campaign: str) -> tuple[str, ...]:
    """Return what a machine may ask: for the log, for the campaign's files, and for those that machines made."""
    kept = (subjects.kept(bucket) for bucket in (subjects.files(campaign), subjects.returns(campaign)))
    streams = (f"myriad-{campaign}", *kept)
    return (*(subject for one in streams for subject in _reading(one, api_of(None))), f"{api_of(None)}.STREAM.NAMES")


def _reads(campaign: str, api: str) -> tuple[str, ...]:
    return _reading(f"myriad-{campaign}", api)


def _reading(stream: str, api: str) -> tuple[str, ...]:
    consumer = (f"{api}.CONSUMER.{verb}.{stream}.>" for verb in ("CREATE", "INFO", "MSG.NEXT"))
    return (f"{api}.STREAM.INFO.{stream}", *consumer)


def _exports(campaign: str) -> str:
    # To every account there is: all of them stand in this configuration, and each imports what it is given.
    returned = subjects.returns(campaign)
    said = [
        subjects.subject(campaign, "worker", "*", "*"),
        subjects.subject(campaign, "pack", "*", "*"),
        subjects.pulse(campaign, "*"),
        f"$O.{returned}.C.*",
        f"$O.{returned}.M.*",
    ]
    lines = [f"      {{ service: {json.dumps(one)}, response_type: stream }}" for one in _lent_reads(campaign)]
    lines += [f"      {{ service: {json.dumps(one)} }}" for one in said]
    heard = (subjects.pulse(campaign, "*"), subjects.call(campaign))
    return "\n".join([*lines, *(f"      {{ stream: {json.dumps(one)} }}" for one in heard)])


def _imports(campaign: str) -> str:
    pairs = zip(_reads(campaign, api_of(None)), _reads(campaign, api_of(OBSERVERS)), strict=True)
    return _imported(pairs, subjects.pulse(campaign, "*"))


def _imported(services: Iterable[tuple[str, str]], stream: str) -> str:
    lines = [
        f"      {{ service: {{ account: campaign, subject: {json.dumps(there)} }}, to: {json.dumps(here)} }}"
        for there, here in services
    ]
    return "\n".join([*lines, f"      {{ stream: {{ account: campaign, subject: {json.dumps(stream)} }} }}"])
