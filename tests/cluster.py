"""Three nats-servers that hold one JetStream between them, on loopback ports: started, killed, and started again.

    with cluster.running(tmp_path) as three:
        log = jetstream.create(three.credential(), "tale", replicas=3)
        three.leader("tale").kill()                         # SIGKILL; the others elect another in some seconds
        three.start(0)                                      # the same store, the same ports

Ports are taken from the kernel and given back before a server takes them; should another process be quicker, starting
fails and says so. Every server ends with the thread that started it, as the embedded one does.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from events.errors import LogError
from events.wire import binary, jetstream
from events.wire.connection import Connection
from events.wire.credentials import Credential
from events.wire.server import LAUNCHER
from tests.actors.waiting import eventually

PATIENCE = 60.0
"""Seconds in which servers must have found one another, or a stream its leader; an idle machine needs 2 to 8."""

SECURE = "always"
"""When frames reach the disk: before they are acknowledged."""


class Server:
    """One of them.

    Attributes:
        name: as the others know it.
        url: where it listens, alive or not.
    """

    def __init__(self, name: str, folder: Path, port: int, settings: str) -> None:
        self.name = name
        self.url = f"nats://127.0.0.1:{port}"
        self._folder = folder
        self._settings = folder / "server.conf"
        folder.mkdir(parents=True)
        self._settings.write_text(settings)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process, the last one that it had."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it on its own store; who asks it too early is not answered."""
        assert not self.alive
        launch = [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), binary.find(), "-c", self._settings]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(launch, stdout=log, stderr=log, start_new_session=True)

    def kill(self) -> None:
        """End it as the kernel does, without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def said(self) -> str:
        """The end of its own log."""
        return (self._folder / "server.log").read_text(errors="replace")[-2000:]


class Cluster:
    """The servers; any of them answers for all."""

    def __init__(self, path: Path, many: int, sync: str) -> None:
        self._password = secrets.token_urlsafe(24)
        ports = _free_ports(2 * many)
        self.servers = [
            Server(f"n{n + 1}", path / f"n{n + 1}", ports[n], self._settings(path, n, ports, sync)) for n in range(many)
        ]

    def credential(self, number: int | None = None) -> Credential:
        """Return what is needed to connect to one server; to the first that is alive where none is named."""
        server = self.alive[0] if number is None else self.servers[number]
        return Credential(url=server.url, user="owner", password=self._password)

    @property
    def alive(self) -> list[Server]:
        """Those whose process is there."""
        return [server for server in self.servers if server.alive]

    def leader(self, campaign: str) -> Server:
        """Wait until a campaign's stream has a leader that is alive, and return it."""
        return eventually(lambda: self._leader(campaign), within=PATIENCE)

    def whole(self, campaign: str) -> None:
        """Wait until every server has all of a campaign's stream."""

        def current() -> bool:
            known = self._known(campaign).get("cluster", {})
            replicas = known.get("replicas", [])
            every = len(replicas) == len(self.servers) - 1 and bool(known.get("leader"))
            return every and all(r["current"] and not r.get("offline") for r in replicas)

        eventually(current, within=PATIENCE)

    def start(self, number: int) -> None:
        """Start one server again, on what it has on its disk."""
        self.servers[number].start()

    def _leader(self, campaign: str) -> Server | None:
        name = self._known(campaign).get("cluster", {}).get("leader")
        return next((server for server in self.alive if server.name == name), None)

    def _known(self, campaign: str) -> dict[str, Any]:
        for server in self.alive:
            credential = Credential(url=server.url, user="owner", password=self._password)
            with contextlib.suppress(LogError):
                return _asked(credential, f"$JS.API.STREAM.INFO.{jetstream.stream_of(campaign)}")
        return {}

    def formed(self) -> None:
        """Wait until they have elected a leader for the whole of JetStream, and every server knows it."""
        for number in range(len(self.servers)):
            eventually(lambda number=number: self._answers(number), within=PATIENCE)

    def _answers(self, number: int) -> bool:
        assert self.servers[number].alive, self.servers[number].said()
        try:
            answer = _asked(self.credential(number), "$JS.API.STREAM.NAMES")
        except LogError:
            return False
        return "error" not in answer

    def _settings(self, path: Path, number: int, ports: list[int], sync: str) -> str:
        many = len(ports) // 2
        routes = json.dumps([f"nats://127.0.0.1:{port}" for port in ports[many:]])
        return f"""
server_name: n{number + 1}
listen: "127.0.0.1:{ports[number]}"
max_payload: 1048576
cluster {{ name: myriad, listen: "127.0.0.1:{ports[many + number]}", routes: {routes} }}
jetstream {{ store_dir: {json.dumps(str(path / f"n{number + 1}"))}, sync_interval: {sync} }}
authorization {{ user: owner, password: {json.dumps(self._password)} }}
"""


@contextlib.contextmanager
def running(path: Path, many: int = 3, *, sync: str = SECURE) -> Iterator[Cluster]:
    """Run servers that have found one another; every one that is left at the end is killed."""
    three = Cluster(path, many, sync)
    try:
        for server in three.servers:
            server.start()
        three.formed()
        yield three
    finally:
        for server in three.alive:
            server.kill()


def _asked(credential: Credential, subject: str) -> dict[str, Any]:
    connection = Connection(credential, timeout=3.0)
    try:
        return connection.request(subject, {})
    finally:
        connection.close()


def _free_ports(many: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(many)]
        return [int(one.getsockname()[1]) for one in sockets]
