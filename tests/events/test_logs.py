"""The contract of logs over memory and over a real server."""

from __future__ import annotations

import pytest

from events.memory import MemoryLog
from events.wire.jetstream import JetStreamLog
from tests.events.contract import LogContract


class TestMemoryLog(LogContract):
    @pytest.fixture
    def log(self) -> MemoryLog:
        return MemoryLog("remembered")


class TestJetStreamLog(LogContract):
    @pytest.fixture
    def log(self, jetstream_log: JetStreamLog) -> JetStreamLog:
        return jetstream_log
