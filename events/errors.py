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


class ObjectMissing(LogError):
    """A bucket of the object store does not hold what is asked for."""

    def __init__(self, name: str, bucket: str) -> None:
        super().__init__(f"object {name} is not in bucket {bucket} of the server")
        self.name = name


class ObjectDamaged(LogError):
    """What a bucket holds under a digest is something else, however often it is fetched."""

    def __init__(self, name: str, bucket: str) -> None:
        super().__init__(f"object {name} is damaged in bucket {bucket} of the server: it must be put there again")
        self.name = name


class CredentialRefused(LogError):
    """A credential cannot be used: not readable, not one, or open to other people of the machine."""


class NotAllowed(LogError):
    """The server refuses this user something.

    Attributes:
        subject: what was refused, in the server's words.
    """

    def __init__(self, user: str | None, subject: str) -> None:
        super().__init__(f"the server does not allow {user or 'this connection'} to use {subject}")
        self.subject = subject


class NotJetStream(LogError):
    """What answers at the address is not a JetStream server that can hold a campaign, or does not hold this one."""


class StoreFull(LogError):
    """The server has no room for another frame; nothing of this one was written."""


class StoreLocked(LogError):
    """Another run has the campaign's store.

    Attributes:
        pid: of the process that started the server, 0 where it cannot be told.
    """

    def __init__(self, campaign: str, pid: int, server: int) -> None:
        who = f"process {pid} (its server is {server})" if pid else "another process"
        super().__init__(f"campaign {campaign} is being run by {who}: stop that one first, or watch it")
        self.pid = pid


class CampaignHeld(LogError):
    """Another process runs the campaign on the same server, or lends the devices of the same machine.

    Attributes:
        process, host, since: which one, where, and from when, as it told the server.
    """

    def __init__(self, what: str, process: str, host: str, since: str) -> None:
        super().__init__(f"{what} by process {process} on {host} since {since}: stop that one first, or watch it")
        self.process = process
        self.host = host
        self.since = since

    def is_by(self, pid: int, host: str) -> bool:
        """Say whether the holder is this process of this machine, by a connection that broke."""
        return (self.process, self.host) == (str(pid), host)


class PortInUse(LogError):
    """The port asked for is somebody else's."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use on this machine: name another one, or 0 for a free one")
        self.port = port


class ServerFailed(LogError):
    """The embedded server cannot be found, is too old, did not start, or did not stay."""


class ArchiveDamaged(LogError):
    """An archive is not what was written.

    Attributes:
        path: the file.
        byte: where in the file the first damage shows.
        after: the last frame before it that is sound.
    """

    def __init__(self, path: object, byte: int, after: int, reason: str) -> None:
        super().__init__(f"{path} is damaged at byte {byte}, after frame {after}: {reason}")
        self.path = path
        self.byte = byte
        self.after = after


class CampaignUnknown(LogError):
    """A reference means no campaign, or more than one; every door leaves with 2 for it."""

    exit_code = 2
