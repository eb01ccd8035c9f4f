"""The operational log: JSON lines, bound with who speaks, without a secret, and harmless when it cannot be written."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pykka
import pytest
import structlog

from actors.discretion import STRUCK
from actors.errors import CampaignError
from actors.feed import Feed
from actors.hands import NoHands
from actors.judgement.budgets import Budget
from actors.pen import wall_clock
from actors.running.logbook import open_logbook
from actors.scheduler import Scheduler
from actors.shell import Died, Shell
from tests.actors.waiting import eventually
from tests.chronicle import Chronicle

SECRET = "sk-planted-0123456789"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, propagates = logging.getLogger("pykka").handlers, logging.getLogger("pykka").propagate
    yield
    structlog.reset_defaults()
    logging.getLogger("pykka").handlers, logging.getLogger("pykka").propagate = handlers, propagates


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "run.jsonl"
    open_logbook(path, terminal=False, campaign="tale")
    return path


def lines(book: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in book.read_text().splitlines()]


def test_every_line_is_json_and_says_when_who_and_which_campaign(book: Path) -> None:
    structlog.get_logger().bind(role="fixer").info("wrote", position=7)
    (line,) = lines(book)
    assert line["campaign"] == "tale"
    assert (line["role"], line["position"], line["event"], line["level"]) == ("fixer", 7, "wrote", "info")
    assert line["process"] == os.getpid()
    assert line["timestamp"].endswith("Z")


def test_a_shell_writes_what_it_wrote_and_where_it_stands_on_the_log(book: Path, tale: Chronicle) -> None:
    tale.proposes("a")
    feed = Feed(tale.log)
    feed.start()
    role = Scheduler(Budget(), agents=1, silence=10.0)
    died: list[Died] = []
    ref = Shell.start(role, NoHands(), tale.log, feed, wall_clock, died=died.append)
    eventually(lambda: book.read_text().count("\n") >= 1)
    ref.stop(timeout=20)
    feed.stop()
    assert (died, len(lines(book))) == ([], 1)
    (line,) = lines(book)
    assert (line["role"], line["campaign"], line["facts"]) == ("scheduler", "tale", ["Queued"])
    assert line["position"] == tale.log.last()


@pytest.mark.parametrize(
    "entry",
    [
        {"api_key": SECRET},
        {"said": f"the header was Bearer {SECRET}."},
        {"nested": {"deep": [f"x{SECRET}x"]}},
        {"nested": {"password": "hunter2hunter2"}},
        {"url": "nats://service:hunter2hunter2@127.0.0.1:4222"},
        {"facts": ("one", SECRET)},
    ],
)
def test_no_planted_secret_reaches_the_file(book: Path, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any]) -> None:
    monkeypatch.setenv("SOME_API_KEY", SECRET)
    structlog.get_logger().info("asked", **entry)
    text = book.read_text()
    assert SECRET not in text
    assert "hunter2hunter2" not in text
    assert STRUCK in text


def test_a_secret_in_an_exceptions_trace_is_struck_out(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    try:
        raise ValueError(f"refused {SECRET}")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "ValueError" in book.read_text()
    assert SECRET not in book.read_text()


def test_ordinary_words_stay(book: Path) -> None:
    structlog.get_logger().info("wrote", about="c-1", url="nats://127.0.0.1:4222")
    (line,) = lines(book)
    assert (line["about"], line["url"]) == ("c-1", "nats://127.0.0.1:4222")


class Fragile(pykka.ThreadingActor):
    def on_receive(self, message: object) -> None:
        raise ValueError("it fell")


def test_the_death_of_an_actor_goes_to_the_file_and_not_over_the_screen(
    book: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ref = Fragile.start()
    ref.tell("go")
    eventually(lambda: not ref.is_alive())
    eventually(lambda: "it fell" in book.read_text())
    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_any_more_harms_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/dev/full` refuses every byte, as a full disk does."""
    open_logbook(Path("/dev/full"), terminal=False, campaign="tale")
    structlog.get_logger().info("wrote", position=1)


def test_a_log_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file stands here")
    with pytest.raises(CampaignError, match=r"run\.jsonl cannot be written: "):
        open_logbook(tmp_path / "logs" / "run.jsonl", terminal=False)
