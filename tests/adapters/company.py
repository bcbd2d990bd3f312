"""A company's network on loopback: a certificate authority of its own, and a proxy that speaks CONNECT."""

from __future__ import annotations

import base64
import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority that no operating system knows."""

    def __init__(self, folder: Path, name: str = "Fabrikam Root") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._signed(self._name, self._key.public_key(), (), ca=True)
        self.file = folder / f"{name.replace(' ', '-').lower()}.pem"
        """Its certificate, as REQUESTS_CA_BUNDLE names it."""
        self.file.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def server(self, *hosts: str, expired: bool = False) -> ssl.SSLContext:
        """What a server of these hosts shows its clients."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = self._signed(subject, key.public_key(), hosts, expired=expired)
        pem = self._folder / f"server-{certificate.serial_number}.pem"
        pem.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        hosts: tuple[str, ...],
        *,
        ca: bool = False,
        expired: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        begin, end = (now - timedelta(days=9), now + timedelta(days=-8 if expired else 9))
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number(), begin, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
        )
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        if ca:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        if hosts:
            names = x509.SubjectAlternativeName([_general(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, SHA256())


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@dataclass
class Proxy:
    """A proxy that leads every CONNECT to one port of this machine, whatever host it names."""

    port: int = 0
    target: int = 0
    account: str = ""
    """``user:password`` that it requires."""
    refusal: int = 0
    """Status that it answers each CONNECT with, in place of a tunnel."""
    heads: list[str] = field(default_factory=list)
    """What it was asked, as it came: request line and headers."""
    passed: bytearray = field(default_factory=bytearray)
    """What clients sent through its tunnels."""

    @property
    def url(self) -> str:
        return f"http://{self.account}{'@' if self.account else ''}127.0.0.1:{self.port}"

    @property
    def hosts(self) -> list[str]:
        """What it was to connect to."""
        return [head.split(" ")[1] for head in self.heads]

    def status(self, head: str) -> int:
        """What it answers."""
        if self.refusal or not head.startswith("CONNECT "):
            return self.refusal or 405
        wanted = "Proxy-Authorization: Basic " + base64.b64encode(self.account.encode()).decode()
        return 200 if not self.account or wanted in head.splitlines() else 407


@contextlib.contextmanager
def proxying(target: str) -> Iterator[Proxy]:
    """A proxy in front of the server with this URL, for the length of a test."""
    proxy = Proxy(target=int(target.rpartition(":")[2]))
    server = _Server(("127.0.0.1", 0), _handler(proxy))
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Server(ThreadingTCPServer):
    daemon_threads = True


def _handler(proxy: Proxy) -> type[BaseRequestHandler]:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            client: socket.socket = self.request
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                piece = client.recv(1)
                if not piece:
                    return
                if not (head or piece.isalpha()):  # TLS where there is none: most proxies answer at once
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
                head += piece
            proxy.heads.append(head.decode("latin-1"))
            status = proxy.status(proxy.heads[-1])
            client.sendall(f"HTTP/1.1 {status} ##[error]text of the proxy\r\n\r\n".encode())
            if status == 200:
                with socket.create_connection(("127.0.0.1", proxy.target)) as server, contextlib.suppress(OSError):
                    _pump(client, server, proxy.passed)

    return Handler


def _pump(client: socket.socket, server: socket.socket, passed: bytearray) -> None:
    """Both directions, until one side ends."""
    with selectors.DefaultSelector() as selector:
        for one in (client, server):
            selector.register(one, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                source = client if key.fileobj is client else server
                piece = source.recv(65536)
                if not piece:
                    return
                if source is client:
                    passed += piece
                (server if source is client else client).sendall(piece)
