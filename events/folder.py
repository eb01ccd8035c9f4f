"""A campaign's folder: where each of its things lies, and nothing about what they are."""

from __future__ import annotations

from pathlib import Path

from events import subjects


class Campaign:
    """`campaigns/NAME/`: the file, the server's door, and the folders of what a campaign keeps.

    Attributes:
        path: the folder; its name is the campaign's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.name = subjects.token(self.path.name, what="campaign")

    def __repr__(self) -> str:
        return f"Campaign({str(self.path)!r})"

    @property
    def file(self) -> Path:
        """The campaign file."""
        return self.path / "campaign.toml"

    @property
    def server(self) -> Path:
        """Where the running server says its address and process, 0600; there only while it runs."""
        return self.path / "server.json"

    @property
    def settled(self) -> Path:
        """What the store looked like when the archive last held all of it."""
        return self.path / "settled.json"

    @property
    def credentials(self) -> Path:
        """One file a user: owner, person, reader."""
        return self.path / "credentials"

    @property
    def store(self) -> Path:
        """The server's own files, its lock and its log."""
        return self.path / "store"

    @property
    def archive(self) -> Path:
        """The live archive: a folder of segments."""
        return self.path / "archive"

    @property
    def snapshots(self) -> Path:
        """States of folds, to start from; may be deleted at any time."""
        return self.path / "snapshots"

    @property
    def blobs(self) -> Path:
        """Long texts and other bytes, by digest."""
        return self.path / "blobs"

    @property
    def features(self) -> Path:
        """The cache of extracted features."""
        return self.path / "features"

    @property
    def checkpoints(self) -> Path:
        """The champions' weights."""
        return self.path / "checkpoints"

    def exists(self) -> bool:
        """Say whether anything of a campaign lies here."""
        return any(path.exists() for path in (self.file, self.store, self.archive))
