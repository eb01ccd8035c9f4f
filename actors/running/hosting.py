"""Where a campaign's log is held: on a server of our own, for this machine alone or open to all, or a foreign one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from actors.errors import CampaignError
from actors.hosts import sharing
from events.folder import Campaign as Folder
from events.wire import credentials, jetstream, server
from events.wire.credentials import Credential, is_loopback
from events.wire.permissions import Listening


class Hosting(NamedTuple):
    """What a person asked for.

    Attributes:
        connect: address or credential of a server that somebody else runs; None for one of our own.
        listen: on which host and port ours is open to other machines; None for this machine alone.
        port: of ours on the loopback address, 0 for a free one.
        websocket: port of its listener for browsers, 0 for a free one, None for none.
        replicas: copies that a foreign cluster keeps; None for as many as it can, up to three.
    """

    connect: str | None = None
    listen: tuple[str, int] | None = None
    port: int = 0
    websocket: int | None = None
    replicas: int | None = None

    @classmethod
    def asked(
        cls, *, connect: str | None, listen: str | None, port: int, websocket: int | None, replicas: int | None
    ) -> Hosting:
        """Return what the words of a command line ask for.

        Raises:
            CampaignError: they contradict each other, or one is not what it should be.
        """
        if connect is not None and (listen is not None or port):
            raise CampaignError("--connect uses a server that somebody else runs; --listen and --port are of our own")
        if replicas is not None and (connect is None or not 1 <= replicas <= 5):
            raise CampaignError("--replicas is the number of a cluster's copies, 1 to 5, and needs --connect")
        return cls(connect, _place(listen) if listen is not None else None, port, websocket, replicas)

    @property
    def shares(self) -> bool:
        """Whether machines elsewhere can lend devices, so that what they need is put where they find it."""
        return self.connect is not None or self.listen is not None

    @contextlib.contextmanager
    def served(
        self, folder: Folder, authors: tuple[str, ...], say: Callable[[str], None]
    ) -> Iterator[dict[str, Credential]]:
        """Have the campaign's stream, and its buckets where they are needed, on a server; yield each user's credential:
        on a server of our own one for each author, on somebody else's the one that we were given.

        Raises:
            LogError: no server, or one that cannot hold a campaign.
        """
        if self.connect is not None:
            given = credentials.parse(self.connect)
            self._made(given, folder.name, say)
            yield {"person": given}
            return
        listening = self._listening(folder)
        with server.running(folder, listening=listening, authors=authors, websocket=self.websocket) as running:
            open_ = self.listen is not None and not is_loopback(self.listen[0])
            how = f", open to other machines on {':'.join(map(str, self.listen or ()))} with TLS" if open_ else ""
            say(f"log: nats-server with JetStream on {running.url}{how}")
            if running.websocket is not None:
                say(f"browsers: {running.websocket}, as the user in {folder.credentials}/reader.json")
            self._made(running.credential("owner"), folder.name, say)
            yield {user: running.credential(user) for user in ("person", *authors)}

    def _made(self, owner: Credential, name: str, say: Callable[[str], None]) -> None:
        with jetstream.create(owner, name, replicas=self.replicas) as log:
            if self.shares:
                sharing.create(log, log.replicas)
            if log.replicas > 1:
                say(f"log: {log.replicas} copies on a cluster of {log.connection.peers} servers")

    def _listening(self, folder: Folder) -> Listening:
        if self.listen is None:
            return Listening(port=self.port)
        host, port = self.listen
        if is_loopback(host):
            return Listening(host, port)
        from events.wire import certificates  # noqa: PLC0415 # only who is open to others waits for it

        everywhere = host in ("0.0.0.0", "::")  # noqa: S104 # a comparison; it is TLS that makes it safe
        names = () if everywhere else (host,)
        return Listening(host, port, certificates.made(folder.credentials / "tls", folder.name, names))


HERE = Hosting()
"""A server of our own for this machine alone."""


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise CampaignError(f"--listen is HOST:PORT, such as 10.0.0.5:4222 or 0.0.0.0:4222, not {listen}")
    return host.strip("[]"), int(port)
