"""The gateway's certificate on this machine, and the authority that signs it: made at the first start, renewed in time.

Only for trying things out. A gateway that others reach has a certificate of an authority that they know.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Browsers refuse leaves that are valid for much longer than a year.
LEAF_LIFETIME = datetime.timedelta(days=90)
AUTHORITY_LIFETIME = datetime.timedelta(days=3650)
# A start makes a new certificate when less than this is left of the old one.
RENEWED_BEFORE = datetime.timedelta(days=30)
# Clocks differ by a little.
_BACKDATED = datetime.timedelta(hours=1)

_NAMES: list[x509.GeneralName] = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
]
# The authority can sign for nothing else: whoever lets a browser trust it risks nothing elsewhere, even if its key leaks.
_CONSTRAINTS = x509.NameConstraints(
    permitted_subtrees=[
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_network("127.0.0.1/32")),
        x509.IPAddress(ipaddress.ip_network("::1/128")),
    ],
    excluded_subtrees=None,
)


@dataclass(frozen=True)
class ServerFiles:
    """What a server and its clients need, in PEM."""

    certificate: Path
    key: Path
    # For clients: `curl --cacert`.
    authority: Path


@dataclass(frozen=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Certificates:
    """A folder with an authority and one certificate of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def server(self, now: datetime.datetime) -> ServerFiles:
        """The gateway's files; made where they are missing, no pair, or about to expire."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = self._read("ca")
        if authority is None or _ends_soon(authority, now):
            authority = _make_authority(now)
            self._write("ca", authority)
        leaf = self._read("gateway")
        if leaf is None or _ends_soon(leaf, now) or not _is_signed_by(leaf, authority):
            self._write("gateway", _make_leaf(authority, now))
        return ServerFiles(self._file("gateway.crt"), self._file("gateway.key"), self._file("ca.crt"))

    def _file(self, name: str) -> Path:
        return self._folder / name

    def _read(self, name: str) -> _Pair | None:
        """None for whatever can't be used, so that it is made anew."""
        try:
            certificate = x509.load_pem_x509_certificate(self._file(f"{name}.crt").read_bytes())
            key = serialization.load_pem_private_key(self._file(f"{name}.key").read_bytes(), password=None)
        except (FileNotFoundError, ValueError, TypeError):
            return None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            return None
        return _Pair(certificate, key)

    def _write(self, name: str, pair: _Pair) -> None:
        key = pair.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._replace(f"{name}.key", key)
        self._replace(f"{name}.crt", pair.certificate.public_bytes(serialization.Encoding.PEM))

    def _replace(self, name: str, content: bytes) -> None:
        """Whole or not at all, and readable by its owner only from the first byte on."""
        descriptor, temporary = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(content)
            os.replace(temporary, self._file(name))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _ends_soon(pair: _Pair, now: datetime.datetime) -> bool:
    return pair.certificate.not_valid_after_utc - now < RENEWED_BEFORE


def _is_signed_by(leaf: _Pair, authority: _Pair) -> bool:
    try:
        leaf.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _make_authority(now: datetime.datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gatehouse"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Gatehouse demo mesh, for localhost only"),
        ]
    )
    certificate = (
        _builder(name, name, key, now, AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage("key_cert_sign"), critical=True)
        .add_extension(_CONSTRAINTS, critical=True)
        .sign(key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _make_leaf(authority: _Pair, now: datetime.datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    issuer = authority.certificate
    # Never beyond its authority, which would make clients refuse it in the end.
    lifetime = min(LEAF_LIFETIME, issuer.not_valid_after_utc - now)
    certificate = (
        _builder(subject, issuer.subject, key, now, lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
        .sign(authority.key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    lifetime: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(purpose: str) -> x509.KeyUsage:
    """For one purpose and no other."""
    purposes = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name == purpose for name in purposes})
