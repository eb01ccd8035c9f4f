"""Fixtures that any room may use: a real server for the whole run, and a fresh campaign's log on it for each test."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

import pytest

# One thread a process: the tests run side by side already. Said before anybody imports what reads it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from events.folder import Campaign
from events.wire import jetstream
from events.wire import server as servers
from events.wire.jetstream import JetStreamLog
from events.wire.server import Running
from tests.sharing import made_once

# A runner in the background inherits an ignored Ctrl-C and would hand it on to every process that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running nats-server; tests make streams of their own on it as its owner."""
    with servers.running(Campaign(tmp_path_factory.mktemp("server") / "shared")) as running:
        yield running


@pytest.fixture
def jetstream_log(server: Running) -> Iterator[JetStreamLog]:
    """An empty log of a campaign that no other test has."""
    with jetstream.create(server.credential("owner"), f"c{next(_numbers)}") as log:
        yield log


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Clips and features of a tiny task, made once; campaigns take them over as links."""
    from tests.tiny import make_world

    return Campaign(made_once(tmp_path_factory, "world", make_world))
