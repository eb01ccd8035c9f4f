"""A server on the loopback address that stands for the Hugging Face Hub: lists a folder's files and hands them out.

with hub({"datasets/nexar-ai/nexar_collision_prediction": folder}) as url:
    subprocess.run(["hf", "download", ...], env={"HF_ENDPOINT": url})
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789" * 4
"""The one revision that there is."""


@contextlib.contextmanager
def hub(repositories: Mapping[str, Path]) -> Iterator[str]:
    """Serve folders as repositories, `datasets/OWNER/NAME` or `OWNER/NAME`, and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            content, headers = found(repositories, unquote(urlsplit(self.path).path).strip("/"))
            self.send_response(404 if content is None else 200)
            for name, value in {**headers, "Content-Length": str(len(content or b"")), "X-Repo-Commit": COMMIT}.items():
                self.send_header(name, value)
            self.end_headers()
            if body and content:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the server's own word
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def found(repositories: Mapping[str, Path], path: str) -> tuple[bytes | None, dict[str, str]]:
    """Return what lies under a path of the Hub, None where there is nothing, and its headers."""
    for name, folder in repositories.items():
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        names = {file.relative_to(folder).as_posix(): file for file in files}
        api = f"api/{name if name.startswith('datasets/') else f'models/{name}'}"
        if path.startswith(f"{api}/tree/"):
            tree = [
                {"type": "file", "path": one, "size": file.stat().st_size, "oid": tag(file)}
                for one, file in names.items()
            ]
            return json.dumps(tree).encode(), {"Content-Type": "application/json"}
        if path == api or path.startswith(f"{api}/revision/"):
            told = {"id": name.removeprefix("datasets/"), "sha": COMMIT, "siblings": [{"rfilename": n} for n in names]}
            return json.dumps(told).encode(), {"Content-Type": "application/json"}
        wanted = path.removeprefix(f"{name}/resolve/").partition("/")[2]
        if path.startswith(f"{name}/resolve/") and wanted in names:
            return names[wanted].read_bytes(), {"ETag": f'"{tag(names[wanted])}"'}
    return None, {"X-Error-Code": "EntryNotFound"}


def tag(file: Path) -> str:
    """Return the digest by which the Hub knows a file."""
    return sha1(file.read_bytes()).hexdigest()
