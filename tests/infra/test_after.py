"""scripts/after.py: what a person sees after a step of `azd up`."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.infra.world import ROOT, module_at, world

AFTER = module_at(ROOT / "scripts" / "after.py", "after")
OUTPUTS = {"APP_NAME": "func-1", "APP_HOST": "func-1.example", "IDENTITY_PRINCIPAL_ID": "principal-1"}
HEALTHY = {"healthy": True, "checks": [{"name": "specs", "ok": True, "detail": "3 pools, 0 problems"}]}
LOCKED_OUT = {"healthy": False, "checks": [{"name": "specs", "ok": False, "detail": "Forbidden"}]}


class App(HTTPServer):
    """A function app that gives the answers it was told, the last one for ever."""

    def __init__(self, answers: list[tuple[int, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: App

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def app(*answers: tuple[int, Any]) -> Iterator[App]:
    with App(list(answers)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def deployed(server: App, attempts: int = 3) -> int:
    code: int = AFTER.main(
        ["deploy", "--attempts", str(attempts), "--pause", "0", "--scheme", "http"],
        {**OUTPUTS, "APP_HOST": f"127.0.0.1:{server.server_port}"},
    )
    return code


def test_after_provisioning_it_names_the_identity_and_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert AFTER.main(["provision"], {**OUTPUTS, "ALERT_EMAIL": "a@example.com"}) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[0] == "provisioned: app func-1, mode report: its identity may only read pools"
    assert [line.split()[0] for line in said[1:-1]] == ["POOL_RESOURCE_GROUPS", "API_CLIENT_ID"]
    assert said[-1] == "next: let principal-1 into Azure DevOps (docs/deploy.md, step 5)"


def test_a_mode_that_writes_is_said_and_an_ingress_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    """The ingress gets no package by `azd deploy`: its app is another."""
    assert AFTER.main(["provision"], {**OUTPUTS, "MODE": "enforce", "INGRESS_NAME": "func-in"}) == 0

    said = capsys.readouterr().out
    assert "mode enforce: its identity may write pools" in said
    assert "deploy the package to func-in as well" in said


def test_a_deployment_without_outputs_did_not_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert AFTER.main(["provision"], {"APP_NAME": "func-1"}) == 1
    assert "no output APP_HOST, IDENTITY_PRINCIPAL_ID" in capsys.readouterr().out


def test_an_app_that_comes_up_late_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    with app((404, {}), (502, {}), (200, HEALTHY)) as server:
        assert deployed(server) == 0

    assert server.asked == ["/api/health"] * 3
    said = capsys.readouterr().out
    assert "healthy: true" in said
    assert "ok  specs: 3 pools, 0 problems" in said


def test_an_app_that_lacks_rights_yet_is_up(capsys: pytest.CaptureFixture[str]) -> None:
    """`azd up` deploys before anybody let the identity into Azure DevOps."""
    with app((503, LOCKED_OUT)) as server:
        assert deployed(server) == 0

    said = capsys.readouterr().out
    assert "healthy: false" in said
    assert "not specs: Forbidden" in said


@pytest.mark.parametrize("answer", [(503, {"error": "host is starting"}), (404, {}), (200, [])])
def test_an_app_that_does_not_start_fails_the_step(answer: tuple[int, Any], capsys: pytest.CaptureFixture[str]) -> None:
    with app(answer) as server:
        assert deployed(server, 2) == 1

    assert len(server.asked) == 2
    assert "does not answer" in capsys.readouterr().out


def test_it_reads_what_azd_hands_over() -> None:
    """Names of values and outputs as main.parameters.json and main.bicep have them."""
    read = set(re.findall(r'environment(?:\.get\(|\[)"(\w+)"', (ROOT / "scripts" / "after.py").read_text()))
    given = set(re.findall(r"\$\{(\w+)", world().texts["main.parameters.json"]))

    assert read | set(AFTER.WITHOUT) | set(OUTPUTS) <= given | set(world().files["main.bicep"].outputs)


def test_the_steps_that_it_names_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text()
    headings = dict(re.findall(r"^## (\d+)\. (.*)$", page, re.MULTILINE))

    assert "Register" in headings["3"]
    assert "Azure DevOps" in headings["5"]
    assert "Deploy" in headings["6"]
    assert "look" in headings["7"]
