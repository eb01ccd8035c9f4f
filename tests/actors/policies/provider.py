"""A provider on the loopback address: speaks the protocols of Claude and of Gemini, and answers as a test tells it.

    with provider(said("- backbone: motion"), status(529)) as server:       # one answer for each request, in order
        Claude(settings(server), Key("K", "a key")).ask(...)
        server.requests[0].body["messages"]

After the last answer every further request gets the last one again. An answer may be a function of the request.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def claude(self) -> bool:
        """Whether it speaks the protocol of Claude."""
        return self.path.startswith("/v1/messages")

    @property
    def texts(self) -> list[str]:
        """Every text that was sent, in order."""
        if self.claude:
            return [block["text"] for block in self.body["system"]] + [m["content"] for m in self.body["messages"]]
        system = self.body["systemInstruction"]["parts"]
        return [part["text"] for part in (*system, *(p for c in self.body["contents"] for p in c["parts"]))]


class Sent(NamedTuple):
    """What goes back: a status, headers and bytes; `hold` waits before it is sent."""

    status: int
    body: bytes
    headers: dict[str, str]
    hold: threading.Event | None = None
    kind: str = "application/json"


Answer = Callable[[Asked], Sent]


class Counts(NamedTuple):
    """Tokens as a provider counts them."""

    fresh: int = 1000
    cached: int = 200
    written: int = 100
    out: int = 300


USUAL = Counts()


def said(text: str, *, stop: str = "", counts: Counts | None = USUAL, model: str = "model-20261101") -> Answer:
    """A reply with this text; `stop` is end where it is empty, else cut, refused, or the provider's own word."""

    def answer(asked: Asked) -> Sent:
        body = _claude(text, stop, counts, model) if asked.claude else _gemini(text, stop, counts, model)
        return Sent(200, json.dumps(body).encode(), {})

    return answer


def status(code: int, message: str = "a reason", **headers: str) -> Answer:
    """An error; headers by name, underscores for hyphens."""

    def answer(asked: Asked) -> Sent:
        error: dict[str, Any] = {"type": "error", "error": {"type": "some_error", "message": message}}
        if not asked.claude:
            error = {"error": {"code": code, "message": message, "status": "SOME_ERROR"}}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Sent(code, json.dumps(error).encode(), named)

    return answer


def raw(body: bytes, *, code: int = 200, kind: str = "application/json", **headers: str) -> Answer:
    """These very bytes."""
    return lambda asked: Sent(code, body, {n.replace("_", "-"): v for n, v in headers.items()}, None, kind)


def held(until: threading.Event, answer: Answer) -> Answer:
    """An answer that is sent when the event is set."""
    return lambda asked: answer(asked)._replace(hold=until)


def hung_up(asked: Asked) -> Sent:
    """The connection ends in the middle of the answer."""
    return Sent(0, b"", {})


def blocked(asked: Asked) -> Sent:
    """Gemini's way to refuse a prompt: no candidate at all."""
    body = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 50}}
    return Sent(200, json.dumps(body).encode(), {})


class Provider:
    """The running server: its address, and every request that came."""

    def __init__(self, url: str, requests: list[Asked]) -> None:
        self.url = url
        self.requests = requests


@contextlib.contextmanager
def provider(*answers: Answer) -> Iterator[Provider]:
    """Serve until the block ends."""
    requests: list[Asked] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            asked = Asked(
                self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(self.rfile.read(length))
            )
            with lock:
                requests.append(asked)
                answer = answers[min(len(requests), len(answers)) - 1]
            sent = answer(asked)
            if sent.hold is not None:
                sent.hold.wait(600)
            self._send(sent)

        def _send(self, sent: Sent) -> None:
            self.close_connection = True
            if not sent.status:
                return
            with contextlib.suppress(OSError):
                self.send_response(sent.status)
                # Said, so that no client asks again on a connection that is about to end.
                usual = {"content-type": sent.kind, "content-length": str(len(sent.body)), "connection": "close"}
                for name, value in usual.items():
                    self.send_header(name, value)
                for name, value in sent.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the server's own word
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Provider(f"http://127.0.0.1:{server.server_address[1]}", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _claude(text: str, stop: str, counts: Counts | None, model: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": {"": "end_turn", "cut": "max_tokens", "refused": "refusal"}.get(stop, stop),
    }
    if stop == "refused":
        body["stop_details"] = {"type": "refusal", "category": "frontier_llm", "explanation": "not this"}
    if counts is not None:
        body["usage"] = {
            "input_tokens": counts.fresh,
            "cache_read_input_tokens": counts.cached,
            "cache_creation_input_tokens": counts.written,
            "output_tokens": counts.out,
        }
    return body


def _gemini(text: str, stop: str, counts: Counts | None, model: str) -> dict[str, Any]:
    reason = {"": "STOP", "cut": "MAX_TOKENS", "refused": "SAFETY"}.get(stop, stop)
    parts = [{"text": "a thought", "thought": True}, {"text": text}] if text else []
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}
    body: dict[str, Any] = {"candidates": [candidate], "modelVersion": model}
    if counts is not None:
        body["usageMetadata"] = {
            "promptTokenCount": counts.fresh + counts.written + counts.cached,
            "cachedContentTokenCount": counts.cached,
            "candidatesTokenCount": counts.out - 100,
            "thoughtsTokenCount": 100,
        }
    return body
