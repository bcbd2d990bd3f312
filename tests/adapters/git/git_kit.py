"""Real repositories made with git, and real git servers on loopback: dulwich's, and git's own http-backend."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from reconciler.adapters.git.source import Git, Location, RemoteAccess

Wsgi = Callable[[dict[str, Any], Any], Any]

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@fabrikam.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@fabrikam.com",
}


CONFIG = """\
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[maintenance]
\tauto = false
"""
"""Written rather than set: each call of git is a process."""


class Work:
    """A repository with a work tree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", "--template=")
        with (path / ".git" / "config").open("a", encoding="utf-8") as config:
            config.write(CONFIG)
        (path / ".git" / "hooks").mkdir()

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=ENVIRONMENT, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, **files: str) -> str:
        """Write files (``pools__a`` is ``pools/a.yaml``), commit all there is, and give the id."""
        for name, content in files.items():
            file = self.path / f"{name.replace('__', '/')}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        ref = (self.path / ".git" / "HEAD").read_text(encoding="utf-8").strip().removeprefix("ref: ")
        return (self.path / ".git" / ref).read_text(encoding="utf-8").strip() if "/" in ref else ref

    def source(self, place: str = "", **options: Any) -> Git:
        """A source on ``#ref:prefix`` of this repository."""
        return Git(Location.parse(f"{self.path}#{place}"), **options)


class Server:
    """A served repository: how often it was asked, and what it was shown."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.seen: list[str] = []
        self.before: Wsgi | None = None
        """Answers in the place of git where it is set and does not give None."""

    def source(self, place: str = "", **options: Any) -> Git:
        access = RemoteAccess(
            allow_loopback=True, **{k: options.pop(k) for k in ("authorization", "clock") if k in options}
        )
        return Git(Location.parse(f"{self.url}/specs.git#{place}"), access=access, **options)

    def around(self, app: Wsgi) -> Wsgi:
        def outer(environ: dict[str, Any], start: Any) -> Any:
            self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            self.seen.append(environ.get("HTTP_AUTHORIZATION", ""))
            if self.before is not None and (answer := self.before(environ, start)) is not None:
                return answer
            return app(environ, start)

        return outer


def dulwich_app(path: Path) -> Wsgi:
    """A server of dulwich; each request opens the repository and closes it again."""

    def app(environ: dict[str, Any], start: Any) -> Any:
        with Repo(str(path)) as repository:
            served: dict[str, Any] = {"/specs.git": repository}
            return list(make_wsgi_chain(DictBackend(served))(environ, start))

    return app


def backend_app(path: Path) -> Wsgi:
    """Git's own server, which is stricter in its protocol than any rewrite."""

    def app(environ: dict[str, Any], start: Any) -> Any:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        done = subprocess.run(
            ["git", "http-backend"],
            input=environ["wsgi.input"].read(size),
            env={
                **ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(path),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
                "PATH_INFO": environ["PATH_INFO"].removeprefix("/specs.git"),
                "QUERY_STRING": environ["QUERY_STRING"],
                "REQUEST_METHOD": environ["REQUEST_METHOD"],
                "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
                "CONTENT_LENGTH": str(size),
                "REMOTE_ADDR": "127.0.0.1",
            },
            check=False,
            capture_output=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        start(status, [(name, value) for name, value in headers if name != "Status"])
        return [body]

    return app


class _Handler(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Stay quiet."""


class _Quiet(WSGIServer):
    def handle_error(self, *args: object) -> None:
        """A client that hangs up is part of the tests."""


@contextmanager
def serving(app: Wsgi) -> Iterator[Server]:
    server = Server()
    httpd = make_server("127.0.0.1", 0, server.around(app), server_class=_Quiet, handler_class=_Handler)
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join(5)
