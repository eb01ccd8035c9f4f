"""A campaign's own certificate authority and the certificate of its server, for a server that other hosts may reach.

Both are made here, the keys 0600 from their first byte; a worker's credential carries the authority's certificate, so
that it trusts this campaign's server and no other. They are valid from a day before, since clocks differ.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from events.wire.credentials import write_secret
from events.wire.permissions import Certificates

BEFORE, AFTER = datetime.timedelta(days=1), datetime.timedelta(days=3650)


def made(folder: Path, campaign: str, names: tuple[str, ...]) -> Certificates:
    """Return the certificates in a folder, made where they are not there or lack a name that the server has.

    The authority is kept, so that credentials which carry it stay good, and so is every name that the server had.

    Args:
        names: host names and addresses under which the server is reached; those of this machine are added.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server-key.pem")
    signer = folder / "ca-key.pem"
    if not (files.authority.exists() and signer.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = _named(f"Myriad campaign {campaign}")
        authority = (
            _built(issuer, issuer, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_secret(signer, _pem(key))
        write_secret(files.authority, authority.public_bytes(serialization.Encoding.PEM))
        files.server.unlink(missing_ok=True)
    wanted = {*names, *_of_this_machine()}
    had = _names_in(files.server) if files.server.exists() and files.key.exists() else set[str]()
    if not wanted <= had:
        _certify(files, signer, sorted(wanted | had))
    return files


def _certify(files: Certificates, signer: Path, names: list[str]) -> None:
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    issuing = serialization.load_pem_private_key(signer.read_bytes(), password=None)
    assert isinstance(issuing, ec.EllipticCurvePrivateKey)  # noqa: S101 # it was made right above, or before by us
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _built(_named("Myriad log server"), authority.subject, key)
        .add_extension(x509.SubjectAlternativeName([*map(_alternative, names)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(issuing, hashes.SHA256())
    )
    write_secret(files.key, _pem(key))
    write_secret(files.server, certificate.public_bytes(serialization.Encoding.PEM))


def _built(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + AFTER)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _alternative(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _of_this_machine() -> set[str]:
    names = {"localhost", "127.0.0.1", "::1", socket.gethostname()}
    return {name for name in names if name.isascii()}


def _names_in(certificate: Path) -> set[str]:
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
