"""A Git remote on this machine, which counts requests and takes its time for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from dulwich import porcelain
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import make_wsgi_chain


@dataclass
class Remote:
    """Where it is, and what was requested."""

    url: str
    requests: list[str] = field(default_factory=list)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: str, latency: float) -> Iterator[Remote]:
    """The files of a folder as the commit of a repository; every request takes that many seconds."""
    with porcelain.init(folder) as made:
        porcelain.add(made, paths=[str(path) for path in Path(folder).iterdir() if path.is_file()])
        porcelain.commit(made, message=b"specs", author=b"A <a@fabrikam.com>", committer=b"A <a@fabrikam.com>")
    with Repo(folder) as repository:
        remote = Remote("")
        found: dict[str, BackendRepo] = {"/specs.git": repository}
        chain = make_wsgi_chain(DictBackend(found))

        def app(environ: dict[str, Any], start: Any) -> Any:
            remote.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            time.sleep(latency)
            return chain(environ, start)

        server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
        remote.url = f"http://127.0.0.1:{server.server_port}/specs.git"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield remote
        finally:
            server.shutdown()
            server.server_close()
