"""The gateway's certificate: made once, renewed in time, good for localhost and nothing else."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification
from mesh.certificates import AUTHORITY_LIFETIME, LEAF_LIFETIME, Certificates, ServerFiles

NOW = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def leaf(files: ServerFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def verify(files: ServerFiles, now: datetime.datetime, name: str = "localhost") -> None:
    """As a strict client does. Raises `VerificationError`."""
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    builder = verification.PolicyBuilder().store(verification.Store([authority])).time(now)
    builder.build_server_verifier(x509.DNSName(name)).verify(leaf(files), [])


def test_a_strict_client_accepts_it_for_localhost_and_for_no_other_name(tmp_path: Path) -> None:
    files = Certificates(tmp_path / "tls").server(NOW)
    verify(files, NOW)
    verify(files, NOW - DAY / 48)
    with pytest.raises(verification.VerificationError):
        verify(files, NOW, "gate.example")
    names = leaf(files).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["localhost", "127.0.0.1", "::1"]


def test_only_its_owner_can_read_any_of_it(tmp_path: Path) -> None:
    Certificates(tmp_path / "tls").server(NOW)
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    files = sorted((tmp_path / "tls").iterdir())
    assert [file.name for file in files] == ["ca.crt", "ca.key", "gateway.crt", "gateway.key"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_it_is_kept_while_there_is_time_and_renewed_by_the_same_authority_before_it_ends(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "tls")
    first = certificates.server(NOW)
    before, authority = leaf(first), first.authority.read_bytes()
    assert leaf(certificates.server(NOW + LEAF_LIFETIME - 31 * DAY)) == before
    later = NOW + LEAF_LIFETIME - 29 * DAY
    assert leaf(certificates.server(later)) != before
    assert first.authority.read_bytes() == authority, "who trusts it once need not do it again"
    verify(first, later + 60 * DAY)


def test_an_authority_that_ends_is_replaced_with_all_that_it_signed(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "tls")
    authority = certificates.server(NOW).authority.read_bytes()
    late = NOW + AUTHORITY_LIFETIME - 10 * DAY
    files = certificates.server(late)
    assert files.authority.read_bytes() != authority
    verify(files, late)


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "gateway.crt", "gateway.key"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nnonsense\n"])
def test_what_is_missing_or_broken_is_made_anew(tmp_path: Path, name: str, content: bytes | None) -> None:
    certificates = Certificates(tmp_path / "tls")
    certificates.server(NOW)
    file = tmp_path / "tls" / name
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    verify(certificates.server(NOW), NOW)


def test_a_key_that_is_not_the_certificates_is_noticed(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "tls")
    files = certificates.server(NOW)
    other = ec.generate_private_key(ec.SECP256R1())
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files.key.write_bytes(other.private_bytes(*encoding))
    certificates.server(NOW)
    key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    assert key.public_key() == leaf(files).public_key()


def test_the_authority_is_worth_nothing_for_other_names(tmp_path: Path) -> None:
    """Somebody stole its key and signs for a bank: who trusts the authority is not fooled."""
    files = Certificates(tmp_path / "tls").server(NOW)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    stolen = serialization.load_pem_private_key((tmp_path / "tls" / "ca.key").read_bytes(), password=None)
    assert isinstance(stolen, ec.EllipticCurvePrivateKey)
    good = leaf(files)
    builder = x509.CertificateBuilder(
        good.issuer, good.subject, stolen.public_key(), 1, good.not_valid_before_utc, good.not_valid_after_utc
    )
    for extension in good.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            value = x509.SubjectAlternativeName([x509.DNSName("bank.example")])
        builder = builder.add_extension(value, critical=extension.critical)
    files.certificate.write_bytes(builder.sign(stolen, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    assert authority.subject == leaf(files).issuer
    with pytest.raises(verification.VerificationError):
        verify(files, NOW, "bank.example")
