"""Azurite, the storage emulator, as a process for the length of a test run."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.tiers import TOOLS, require

ACCOUNT = "fabrikam"
KEY = base64.b64encode(b"canary-key-that-must-not-show-up" * 2).decode()
PROGRAM = TOOLS / "azurite/node_modules/azurite/dist/src/azurite.js"


@dataclass(frozen=True)
class Azurite:
    """Where it listens."""

    scheme: str
    blob_port: int
    queue_port: int

    @property
    def blob_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.blob_port}/{ACCOUNT}"

    @property
    def queue_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.queue_port}/{ACCOUNT}"

    @property
    def connection(self) -> str:
        return (
            f"DefaultEndpointsProtocol={self.scheme};AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.blob_url};QueueEndpoint={self.queue_url};"
        )


@contextmanager
def running(folder: Path, *options: str, scheme: str = "http") -> Iterator[Azurite]:
    """Start it on free ports, wait until it listens, end it by its process id."""
    require(PROGRAM, "Azurite, the storage emulator,")
    node = shutil.which("node") or str(Path(sys.prefix) / "bin/node")
    blob, queue, table = _free_ports(3)
    command = [node, str(PROGRAM), "--inMemoryPersistence", "--skipApiVersionCheck"]
    command += ["--silent", "--disableTelemetry", "--blobPort", str(blob), "--queuePort", str(queue)]
    command += ["--tablePort", str(table), *options]
    environment = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}", "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    with (folder / "azurite.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait_for((blob, queue), process, folder)
            yield Azurite(scheme, blob, queue)
        finally:
            process.terminate()
            process.wait(10)


def _free_ports(count: int) -> Sequence[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _wait_for(ports: Sequence[int], process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + 300
    for port in ports:
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(
                    f"Azurite did not start; `make test` installs it: {(folder / 'azurite.log').read_text()}"
                )
            time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return cert, secret


class Identity:
    """A credential whose tokens Azurite's ``--oauth basic`` believes: audience and times right, no signature."""

    def __init__(self, audience: str = "https://storage.azure.com") -> None:
        self._audience = audience
        self.scopes: set[str] = set()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.update(scopes)
        now = int(time.time())
        claims = {
            "aud": self._audience,
            "iss": "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
            "nbf": now - 60,
            "iat": now - 60,
            "exp": now + 3600,
        }
        parts = [json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps(claims), "signature"]
        token = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
        return AccessToken(token, now + 3600)
