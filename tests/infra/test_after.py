"""scripts/after.py: what a person sees after a step of `azd up`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.infra import shape
from tests.infra.loopback import Quiet, serving
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


class Handler(Quiet):
    server: App

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        self.server.asked.append(self.path)
        status, body = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def app(*answers: tuple[int, Any]) -> AbstractContextManager[App]:
    return serving(App(list(answers)))


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
    assert said[-1] == "next: grant principal-1 access to Azure DevOps (docs/deploy.md, step 5)"


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
    assert "does not respond" in capsys.readouterr().out


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
    assert "report" in headings["7"]


GROUP, SUBNET = "/subscriptions/s/resourceGroups/rg-build", "/subscriptions/s/resourceGroups/rg/subnets/builds"
WRITES = {"POOL_RESOURCE_GROUPS": f"{GROUP}, ", "SUBNETS": SUBNET, "API_CLIENT_ID": "x", "ALERT_EMAIL": "x"}


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """An Azure CLI of our own, which answers by scope and keeps what it was asked."""

    def install(code: int = 0, **roles: list[str]) -> Path:
        answers = {scope: json.dumps([{"roleDefinitionName": each} for each in roles.get(name, [])])
                   for name, scope in (("group", GROUP), ("subnet", SUBNET))}  # fmt: skip
        cases = "\n".join(f"*'--scope {scope} '*) echo '{answer}' ;;" for scope, answer in answers.items())
        program = tmp_path / "az"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncase "$* " in\n{cases}\nesac\nexit {code}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return tmp_path / "asked"

    return install


def test_rights_that_are_left_from_enforce_mode_are_named_with_the_way_to_take_them_away(
    azure: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment takes no right away: without this, mode report would only be believed to be one."""
    asked = azure(group=["Reader", "DevOps Infrastructure Contributor"], subnet=["Pool Reconciler Subnet Join (s)"])

    assert AFTER.main(["provision"], {**OUTPUTS, **WRITES, "MODE": "report"}) == 1

    said = capsys.readouterr().out
    assert f"--assignee principal-1 --role 'DevOps Infrastructure Contributor' --scope {GROUP}" in said
    assert f"--role 'Pool Reconciler Subnet Join (s)' --scope {SUBNET}" in said
    assert "--role Reader" not in said
    assert asked.read_text().count("role assignment list --assignee principal-1") == 2


def test_nothing_is_left_where_the_mode_was_always_report(
    azure: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    azure(group=["Reader"])

    assert AFTER.main(["provision"], {**OUTPUTS, **WRITES}) == 0
    assert "left" not in capsys.readouterr().out


def test_enforce_mode_asks_nobody(azure: Callable[..., Path]) -> None:
    asked = azure(group=["DevOps Infrastructure Contributor"])

    assert AFTER.main(["provision"], {**OUTPUTS, **WRITES, "MODE": "enforce"}) == 0
    assert not asked.exists()


def test_rights_that_could_not_be_looked_at_are_said_to_be_so(
    azure: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In a pipeline azd may be signed in where the Azure CLI is not."""
    azure(code=1)

    assert AFTER.main(["provision"], {**OUTPUTS, **WRITES}) == 0
    assert f"rights on {GROUP} could not be read" in capsys.readouterr().out

    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert AFTER.main(["provision"], {**OUTPUTS, **WRITES}) == 0
    assert f"rights on {SUBNET} could not be read" in capsys.readouterr().out


def test_every_scope_of_a_right_to_write_is_looked_at() -> None:
    scopes = {parameter for _, (parameter, *_) in shape.SCOPES.items()} - {"secretNames"}
    given = world().json("main.parameters.json")["parameters"]

    assert set(AFTER.WRITING) == {given[name]["value"].strip("${}=") for name in scopes}
