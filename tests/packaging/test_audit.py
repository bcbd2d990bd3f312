"""The audit, against a vulnerability database on this machine with the interface of api.osv.dev."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from scripts.audit import KNOWN_BAD, locked
from scripts.tracked import ROOT

FLASK = {KNOWN_BAD: "PYSEC-2018-66"}
LOCK = "requests==2.19.1 \\\n    --hash=sha256:00\nidna==3.20 ; python_full_version < '3.13' \\\n    --hash=sha256:01\n"


class Database(ThreadingHTTPServer):
    """Knows some vulnerabilities, or fails; keeps what was asked."""

    def __init__(self, known: dict[tuple[str, str], str], status: int = 200, body: object = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.known = known
        self.status = status
        self.body = body
        self.requests: list[tuple[str, str]] = []

    def response(self, name: str, version: str) -> object:
        if self.body is not None:
            return self.body
        found = self.known.get((name, version))
        package = {"name": name, "ecosystem": "PyPI"}
        return {"vulns": [{"id": found, "summary": "s", "affected": [{"package": package}]}]} if found else {}


class Handler(BaseHTTPRequestHandler):
    """`POST /v1/query` of OSV."""

    server: Database

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = (query["package"]["name"], query["version"])
        self.server.requests.append(asked)
        body = json.dumps(self.server.response(*asked)).encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@contextmanager
def serving(database: Database) -> Iterator[str]:
    Thread(target=database.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{database.server_port}/v1/query"
    finally:
        database.shutdown()
        database.server_close()


def audit(folder: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.audit", "--root", str(folder), "--osv-url", url, *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text(LOCK)
    return tmp_path


def test_packages_without_a_known_vulnerability_pass(locks: Path) -> None:
    """Those of other platforms are looked up as well, and the two versions that two lock files hold."""
    (locks / "requirements-dev.txt").write_text("requests==2.34.2 \\\n    --hash=sha256:02\n")
    database = Database(FLASK)
    with serving(database) as url:
        done = audit(locks, url)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3 packages audited, 0 with known vulnerabilities\n"
    assert sorted(database.requests) == sorted(
        [KNOWN_BAD, ("idna", "3.20"), ("requests", "2.19.1"), ("requests", "2.34.2")]
    )


def test_a_vulnerability_is_one_line_and_a_failure(locks: Path) -> None:
    with serving(Database({**FLASK, ("requests", "2.19.1"): "PYSEC-2018-28"})) as url:
        done = audit(locks, url)
        judged = audit(locks, url, "--ignore-vuln", "PYSEC-2018-28")

    assert done.returncode == 1
    assert done.stdout == "requests 2.19.1: PYSEC-2018-28\n2 packages audited, 1 with known vulnerabilities\n"
    assert judged.returncode == 0


@pytest.mark.parametrize(
    ("database", "said"),
    [
        (Database({}), "the database knows no vulnerability of flask 0.5, so it holds no data to audit with"),
        (Database(FLASK, status=403), "pip-audit could not look up the packages: "),
        (Database(FLASK, status=500), "pip-audit could not look up the packages: "),
        (Database(FLASK, body={"message": "sign in"}), "pip-audit could not look up the packages: "),
        (Database(FLASK, body=[]), "the database knows no vulnerability of flask 0.5"),
    ],
    ids=["empty", "forbidden", "broken", "another interface", "no data"],
)
def test_an_audit_that_audited_nothing_fails(locks: Path, database: Database, said: str) -> None:
    with serving(database) as url:
        done = audit(locks, url)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"audit: {said}")
    assert done.stderr.count("\n") == 1


def test_a_database_that_cannot_be_reached_fails(locks: Path) -> None:
    with serving(Database(FLASK)) as url:
        pass
    done = audit(locks, url)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_a_folder_without_lock_files_fails(tmp_path: Path) -> None:
    done = audit(tmp_path, "http://127.0.0.1:9/")

    assert done.returncode == 2
    assert done.stderr.startswith(f"audit: no lock file with packages was found in {tmp_path}")


def test_the_vulnerable_package_is_none_of_ours() -> None:
    pins = locked(ROOT)

    assert len(pins) > 100
    assert KNOWN_BAD[0] not in {name for name, _ in pins}
