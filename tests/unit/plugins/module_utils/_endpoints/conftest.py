# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers on loopback: a certificate authority, certificates, HTTPS with a redirecting HTTP beside it."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A certificate authority whose root lies in ``ca_file``."""

    ca_file: str
    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    folder: Path

    def issue(self, names: list[str], days: int = 60) -> str:
        """A file with key and certificate for the names."""
        key = ec.generate_private_key(ec.SECP256R1())
        entries: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        entries.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        certificate = (
            _certificate(x509.Name([]), self.name, key, days)
            .add_extension(x509.SubjectAlternativeName(entries), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"{names[0].replace('*', 'any')}-{days}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return str(path)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days, hours=1))
    )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of its own."""
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    root = (
        _certificate(name, name, key, 3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    ca_file = folder / "root.pem"
    ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return Authority(str(ca_file), name, key, folder)


class Platform(ThreadingHTTPServer):
    """A server that answers as its attributes say."""

    daemon_threads = True
    request_queue_size = 128
    status = 200
    location: str | None = None
    body = b'{"status": "ok"}'

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about clients that went away."""


class Handler(BaseHTTPRequestHandler):
    """Answers GET, keeping connections."""

    protocol_version = "HTTP/1.1"
    server: Platform

    def do_GET(self) -> None:
        """Redirect where there is a location (with the asked host and URI put in), else answer the body."""
        location = self.server.location
        self.send_response(self.server.status)
        if location:
            self.send_header("Location", location.format(host=self.headers["Host"], uri=self.path))
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


Serve = Callable[..., Platform]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers; with a PEM file they speak TLS."""
    started: list[Platform] = []

    def start(pem: str | None = None, status: int = 200, location: str | None = None) -> Platform:
        server = Platform(("127.0.0.1", 0), Handler)
        server.status, server.location = status, location
        if pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()
