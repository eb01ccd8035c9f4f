"""What can go wrong with the log, each error one class that carries its facts as attributes."""

from __future__ import annotations


class LogError(Exception):
    """Root of every error that the room raises; its text is one sentence that a person can act on."""


class ConfigurationInvalid(LogError):
    """A configuration is not a point of the space.

    Attributes:
        problems: one sentence a dimension, each naming the key, the value found and what is allowed.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class SpaceInvalid(LogError):
    """A space, or a change asked of one, contradicts itself."""


class FrameRefused(LogError):
    """A frame may not be written: too large, not finite, an unknown field, or not its author's to write."""


class FrameUnreadable(LogError):
    """Recorded bytes are not a frame of this vocabulary.

    Attributes:
        sequence: position on the log, 0 when the bytes come from nowhere in particular.
        unknown: the fact type that only a newer Myriad knows, or None for malformed bytes.
    """

    def __init__(self, sentence: str, *, sequence: int = 0, unknown: str | None = None) -> None:
        super().__init__(sentence)
        self.sequence = sequence
        self.unknown = unknown


class AuthorForbidden(LogError):
    """An author wrote, or tries to write, a type of fact that is not its role's."""

    def __init__(self, author: str, kind: str, *, sequence: int = 0) -> None:
        where = f" at position {sequence}" if sequence else ""
        super().__init__(f"{author} may not write {kind}{where}: see the table in events/authors.py")
        self.author = author
        self.kind = kind
        self.sequence = sequence


class Conflict(LogError):
    """A fence refused an append: somebody else wrote under it first.

    Attributes:
        expected: the last sequence under the fence that the writer knew.
        actual: the last sequence that the log holds there.
    """

    def __init__(self, subject: str, expected: int, actual: int) -> None:
        super().__init__(f"{subject} stands at {actual}, not at {expected}: refold and decide again")
        self.subject = subject
        self.expected = expected
        self.actual = actual


class LogLost(LogError):
    """The connection to the log broke; what was pending is unknown and its owner must reread."""


class GapFound(LogError):
    """A reader saw sequence numbers that do not follow one another."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"the log skips from {expected - 1} to {found}: it was damaged; compare it with its archive")
        self.expected = expected
        self.found = found


class BlobMissing(LogError):
    """A text named by its digest is not in the campaign's blobs, or is not what its digest says."""

    def __init__(self, digest: str, reason: str) -> None:
        super().__init__(f"blob {digest}: {reason}")
        self.digest = digest
