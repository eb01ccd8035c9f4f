"""Other people's clients on a campaign's log: each example of docs/examples is run as it lies there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO, Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from websockets.asyncio.client import connect

from events import doors
from events.archives import archive
from events.consumers import tailing
from events.envelope import Position
from events.folder import Campaign
from events.wire import jetstream, server
from events.wire.server import Running
from tests.events.saying import frame, until
from tests.test_pages import taken

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
GOLDEN = ROOT / "tests" / "golden" / "vocabulary-2.myriad"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that holds a recorded campaign and takes browsers too."""
    recorded = archive.open_file(GOLDEN)
    home = tmp_path_factory.mktemp("clients")
    shutil.copytree(EXAMPLES, home / "docs" / "examples")
    folder = Campaign(home / "campaigns" / recorded.campaign)
    with server.running(folder, websocket=0) as up:
        with jetstream.create(up.credential("owner"), folder.name) as log:
            archive.restore(recorded, log)
        yield up


@pytest.fixture(scope="module")
def told() -> list[str]:
    """What every client must print: positions, subjects and types."""
    said = tailing.said(archive.open_file(GOLDEN).read(), Position(0))
    return [f"{one.position} {one.subject} {one.fact['type']}" for one in said]


def _last(told: list[str]) -> str:
    return told[-1].split(".")[0]


def _credential(running: Running) -> str:
    return str(running.folder.credentials / "reader.json")


def test_a_program_with_nats_py_alone_reads_every_fact(running: Running, told: list[str]) -> None:
    name = running.folder.name
    client = [sys.executable, str(EXAMPLES / "clients" / "watch.py"), _credential(running), name]
    whole = subprocess.run([*client, "0", _last(told)], capture_output=True, text=True, check=True, timeout=120)
    assert whole.stdout.splitlines() == told
    later = subprocess.run([*client, "100", _last(told)], capture_output=True, text=True, check=True, timeout=120)
    assert later.stdout.splitlines() == [line for line in told if int(line.split(".")[0]) > 100]


def lines_of_the_page() -> list[str]:
    return taken("docs/stream.md", "tests/events/test_clients.py")


@contextlib.contextmanager
def typed(line: str, running: Running) -> Iterator[IO[str]]:
    """Type a line of the page beside the running campaign, and end all that it started when the block ends."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("MYRIAD_HOME", None)
    process = subprocess.Popen(
        ["bash", "-c", line],
        stdout=subprocess.PIPE,
        text=True,
        cwd=running.folder.path.parents[1],
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_the_first_line_of_the_page_reads_every_fact(running: Running, told: list[str]) -> None:
    with typed(lines_of_the_page()[0], running) as out:
        assert [out.readline().rstrip("\n") for _ in told] == told


def test_the_third_line_of_the_page_hands_every_event_to_a_hook(running: Running, told: list[str], hook: str) -> None:
    line = lines_of_the_page()[2]
    assert line.count("http://127.0.0.1:8000/hook") == 1
    with typed(line.replace("http://127.0.0.1:8000/hook", hook), running):
        until(lambda: len(_Hook.heard) >= len(told))
    assert [json.loads(body)["id"] for body in _Hook.heard] == [one.split()[0] for one in told]


def test_a_browsers_connection_reads_and_cannot_write(running: Running) -> None:
    """The protocol of NATS as text over a WebSocket, as a browser speaks it, by a client that knows nothing of NATS."""
    reader = running.credential("reader")
    api, stream = "$JS.observers.API", f"myriad-{running.folder.name}"

    async def talk() -> str:
        heard = ""
        async with connect(str(running.websocket), max_size=None) as socket:

            async def until_said(words: str) -> None:
                nonlocal heard
                while words not in heard:
                    piece = await asyncio.wait_for(socket.recv(), 30)
                    heard += piece.decode() if isinstance(piece, bytes) else piece

            await until_said("INFO")
            hello = {"user": reader.user, "pass": reader.password, "verbose": False, "pedantic": False, "headers": True}
            await socket.send(f"CONNECT {json.dumps(hello)}\r\nSUB _INBOX.b 1\r\nPING\r\n".encode())
            await until_said("PONG")
            asked = json.dumps({"stream_name": stream, "config": {"name": "b", "ack_policy": "none"}})
            await socket.send(f"PUB {api}.CONSUMER.CREATE.{stream}.b _INBOX.b {len(asked)}\r\n{asked}\r\n".encode())
            await until_said("num_pending")
            wish = '{"batch":1}'
            await socket.send(f"PUB {api}.CONSUMER.MSG.NEXT.{stream}.b _INBOX.b {len(wish)}\r\n{wish}\r\n".encode())
            await until_said("CampaignOpened")
            await socket.send(b"PUB myriad.demo.campaign.x.person-x 2\r\n{}\r\n")
            await until_said("Permissions Violation")
        return heard

    assert str(running.websocket).startswith("ws://127.0.0.1:")
    assert "CampaignOpened" in asyncio.run(talk())


def test_no_browser_is_let_in_unless_somebody_asked_for_it(tmp_path: Path) -> None:
    folder = Campaign(tmp_path / "tale")
    with server.running(folder) as up:
        assert up.websocket is None
        assert "websocket" not in (folder.credentials / "server.conf").read_text()


JQ = """myriad tail golden --type Completed | jq -r '[.position, .experiment, .validation] | @tsv'"""


def test_jq_reads_the_tail(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if shutil.which("jq") is None:
        pytest.fail("jq is not on this machine: the tail's promise to it cannot be shown")
    assert JQ.replace("golden", "demo") in (ROOT / "docs" / "stream.md").read_text()
    shutil.copy(GOLDEN, tmp_path / "golden.myriad")
    command = JQ.replace("myriad ", f"{sys.executable} -c 'import myriad; myriad.main()' ", 1)
    environment = {**os.environ, "MYRIAD_HOME": str(tmp_path)}
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, cwd=ROOT, env=environment)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(rows) > 5
    assert all(0 <= float(value) <= 1 and experiment.startswith("e-") for _, experiment, value in rows)


class _Hook(BaseHTTPRequestHandler):
    heard: list[bytes] = []
    failing = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if type(self).failing:
            type(self).failing -= 1
            self.send_response(503)
        else:
            self.heard.append(body)
            self.send_response(204)
        self.end_headers()

    def log_message(self, *said: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    _Hook.heard, _Hook.failing = [], 0
    listening = HTTPServer(("127.0.0.1", 0), _Hook)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/hook"
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_bridge_of_thirty_lines_hands_every_event_to_a_webhook_once(
    hook: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bridge = EXAMPLES / "clients" / "webhook.py"
    assert len(bridge.read_text().splitlines()) <= 30
    shutil.copy(GOLDEN, tmp_path / "golden.myriad")
    doors.tail("golden", home=tmp_path, type=("Completed", "Failed"), cloudevents=True)
    events = capsys.readouterr().out
    _Hook.failing = 2
    subprocess.run([sys.executable, str(bridge), hook], input=events, text=True, check=True, timeout=120)
    assert [body.decode() for body in _Hook.heard] == events.splitlines()
    assert {JSONFormat().read(CloudEvent, body).get_type() for body in _Hook.heard} >= {"myriad.Completed"}
    _Hook.failing = 99
    refused = subprocess.run(
        [sys.executable, str(bridge), hook], input=events, text=True, capture_output=True, check=False, timeout=120
    )
    assert refused.returncode == 1
    assert "did not take event" in refused.stderr


def _cells() -> list[str]:
    book = json.loads((EXAMPLES / "notebook" / "tables.ipynb").read_text())
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    return ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]


def _tables(tmp_path: Path) -> None:
    words = ["export", str(GOLDEN), "--parquet", str(tmp_path / "tables")]
    subprocess.run([sys.executable, "-c", "import myriad; myriad.main()", *words], check=True, cwd=ROOT)


def test_the_cells_of_the_notebook_run_in_order_on_an_export(tmp_path: Path) -> None:
    _tables(tmp_path)
    subprocess.run([sys.executable, "-c", "\n".join(_cells())], check=True, cwd=tmp_path)


@pytest.mark.prove
def test_jupyter_runs_the_notebook(tmp_path: Path) -> None:
    _tables(tmp_path)
    shutil.copy(EXAMPLES / "notebook" / "tables.ipynb", tmp_path)
    packages = tmp_path / "packages"
    wanted = ["-r", str(EXAMPLES / "notebook" / "requirements.txt"), "--target", str(packages), "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "install", *wanted], check=True)
    environment = {**os.environ, "PYTHONPATH": str(packages), "JUPYTER_PATH": str(packages / "share" / "jupyter")}
    program = "from nbclient.cli import main; main(['tables.ipynb', '--inplace'])"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, env=environment, timeout=300)
    book = json.loads((tmp_path / "tables.ipynb").read_text())
    assert [cell["execution_count"] for cell in book["cells"] if cell["cell_type"] == "code"] == [1, 2, 3, 4]


@pytest.mark.prove
def test_the_nats_projects_own_packages_read_every_fact_over_tcp_and_websocket(
    running: Running, told: list[str]
) -> None:
    folder = running.folder.path.parents[1] / "docs" / "examples" / "clients"
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True)
    for address in ("", str(running.websocket)):
        words = ["node", "watch.mjs", _credential(running), running.folder.name, address, _last(told)]
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=folder, timeout=120)
        assert done.stdout.splitlines() == told, address
    with typed(lines_of_the_page()[1], running) as out:
        assert [out.readline().rstrip("\n") for _ in told] == told


STALLED = """
import json, sys, time
from pathlib import Path
from events.wire import jetstream
connection = jetstream.connect(Path(sys.argv[1]), "tale").connection
async def never(message): time.sleep(3600)
inbox, api = connection.inbox(), connection.api
connection.run(connection.subscribe(inbox, never))
config = {"name": "greedy", "ack_policy": "none", "mem_storage": True}
connection.request(f"{api}.CONSUMER.CREATE.myriad-tale.greedy", {"stream_name": "myriad-tale", "config": config})
wish = json.dumps({"batch": 100000, "expires": 10**11}).encode()
connection.run(connection.publish(f"{api}.CONSUMER.MSG.NEXT.myriad-tale.greedy", wish, inbox))
print("asked", flush=True)
sys.stdin.read()
"""
"""A consumer that asks for everything and reads nothing."""


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL])
def test_a_consumer_that_stops_or_dies_takes_nothing_from_a_campaign(tmp_path: Path, end: signal.Signals) -> None:
    """Sixteen megabytes, more than a socket holds, go by a consumer that reads none of it: every frame is on the log,
    in order, and another consumer gets all of them.
    """
    folder = Campaign(tmp_path / "tale")
    with server.running(folder, sync="2m") as up, jetstream.create(up.credential("owner"), "tale") as log:
        words = [sys.executable, "-c", STALLED, str(folder.credentials / "reader.json")]
        consumer = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert consumer.stdout is not None
        assert consumer.stdout.readline() == b"asked\n"
        consumer.send_signal(end)
        sent = [log.submit(frame("tale", n, reason=str(n) * 40_000)) for n in range(1, 201)]
        assert [answer.result(60).sequence for answer in sent] == list(range(1, 201))
        with jetstream.connect(folder.credentials / "reader.json", "tale") as other:
            assert [recorded.sequence for recorded in other.read()] == list(range(1, 201))
        consumer.kill()
        consumer.communicate()
        until(lambda: log.last() == 200)
