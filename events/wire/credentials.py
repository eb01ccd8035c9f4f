"""Who a process is to a server: one JSON file that nobody else of the machine may read."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from events.errors import CredentialRefused

if TYPE_CHECKING:
    import ssl

SCHEMES = ("nats", "tls")

OBSERVERS = "observers"
"""The account of those who look, and the domain under which they ask JetStream; see `events.wire.permissions`."""


LENDERS = "lenders"
"""The domain under which machines that lend devices ask JetStream, each from an account of its own."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is and who asks.

    Attributes:
        url: `nats://host:port`, or `tls://host:port`, which takes no connection without TLS; of a cluster several,
            with commas between them.
        ca: the certificate that the server's own is checked against, its path or its text (PEM); None for the
            system's. Where there is one, no connection without TLS is taken either.
        author: in whose name alone frames may be written; None where the server does not say.
        domain: under which JetStream is asked; None for the server's own.
    """

    url: str
    user: str | None = None
    password: str | None = None
    ca: str | None = None
    author: str | None = None
    domain: str | None = None

    @property
    def api(self) -> str:
        """The subject under which this user asks JetStream."""
        return api_of(self.domain)

    @property
    def servers(self) -> tuple[str, ...]:
        """Each address."""
        return tuple(self.url.split(","))

    @property
    def tls(self) -> bool:
        """Whether nothing may be said to the server before TLS."""
        return self.ca is not None or self.url.startswith("tls://")

    def __repr__(self) -> str:
        return f"Credential({self.user or 'anonymous'} at {self.url})"


def api_of(domain: str | None) -> str:
    """Return the subject of JetStream's API under a domain, None for the server's own."""
    return f"$JS.{domain}.API" if domain else "$JS.API"


def parse(reference: str | Path | Credential) -> Credential:
    """Return the credential that a URL carries or a file holds.

    Raises:
        CredentialRefused: it is neither, or other people may read the file.
    """
    if isinstance(reference, Credential):
        return reference
    if "://" not in str(reference):
        return load(Path(reference))
    first, *others = map(_address, str(reference).split(","))
    return msgspec.structs.replace(first, url=",".join([first.url, *(other.url for other in others)]))


def _address(url: str) -> Credential:
    parts = urlsplit(url)
    try:
        port = parts.port or 4222
    except ValueError:
        port = 0
    if parts.scheme not in SCHEMES or not parts.hostname or not port:
        raise CredentialRefused(f"{_without_secret(url)} is not nats://[user:password@]host[:port]")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    user, password = (unquote(word) if word else None for word in (parts.username, parts.password))
    return Credential(url=f"{parts.scheme}://{host}:{port}", user=user, password=password)


def at(url: str | None, file: Path | None) -> Credential:
    """Return the credential of a file, at another address where one is given; raises as `parse` does."""
    if file is None or url is None:
        return parse(file or url or "")
    return msgspec.structs.replace(load(file), url=parse(url).url)


def load(path: Path) -> Credential:
    """Read a credential file; raises as `parse` does."""
    try:
        if path.stat().st_mode & 0o077:
            raise CredentialRefused(f"{path} can be read by other people: chmod 600 {path}")
        return msgspec.json.decode(path.read_bytes(), type=Credential)
    except OSError as error:
        raise CredentialRefused(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise CredentialRefused(
            f"{path} is not a credential (url, user, password, ca, author, domain): {error}"
        ) from error


def save(credential: Credential, path: Path) -> None:
    """Write a credential file, readable by its owner alone."""
    write_secret(path, msgspec.json.format(msgspec.json.encode(credential)))


def write_secret(path: Path, content: bytes) -> None:
    """Put a file in place whole, readable by its owner alone from its first byte."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    partial.replace(path)


def is_loopback(host: str) -> bool:
    """Say whether a host's name or address means this machine alone."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def trusting(ca: str) -> ssl.SSLContext:
    """Return what trusts one certificate, given by its text or its path; raises `CredentialRefused`."""
    import ssl  # noqa: PLC0415 # a reader of files waits for no TLS

    try:
        if ca.startswith("-----BEGIN"):
            return ssl.create_default_context(cadata=ca)
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise CredentialRefused(f"the certificate {ca.strip().splitlines()[0]} cannot be used: {error}") from None


def _without_secret(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
