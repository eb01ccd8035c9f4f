"""Long texts and other bytes of a campaign, each under its own digest, written once and verified when read."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from events.envelope import Text
from events.errors import BlobMissing

WHOLE = 4096
"""Characters up to which a text lies whole in its fact."""

HEAD, TAIL = 3072, 768
"""Characters of a longer text that its fact keeps."""


class Blobs:
    """A folder of files named by the sha256 of their content, in subfolders of two digits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Keep the bytes and return their digest; they are on the disk when this returns."""
        digest = sha256(content).hexdigest()
        path = self.place(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Threads of one process may keep the same text at once: two crashes have one trace.
            partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes under a digest.

        Raises:
            BlobMissing: they are not there, or are not what their digest says.
        """
        try:
            content = self.place(digest).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(digest, f"not in {self.folder}") from None
        if sha256(content).hexdigest() != digest:
            raise BlobMissing(digest, "its content was damaged")
        return content

    def digests(self) -> Iterator[str]:
        """Yield every digest that is kept, in order."""
        yield from sorted(path.name for path in self.folder.glob("??/*") if not path.suffix)

    def keep(self, text: str) -> Text:
        """Return the text as a fact carries it, the whole of a long one kept here first."""
        if len(text) <= WHOLE:
            return Text(head=text, length=len(text))
        digest = self.put(text.encode())
        return Text(head=text[:HEAD], tail=text[-TAIL:], length=len(text), digest=digest)

    def whole(self, text: Text) -> str:
        """Return the whole text; raises `BlobMissing` as `get` does."""
        return text.head if text.digest is None else self.get(text.digest).decode()

    def place(self, digest: str) -> Path:
        """Return where the bytes of a digest lie, or would."""
        return self.folder / digest[:2] / digest
