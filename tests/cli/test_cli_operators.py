"""`operators`: who is protected, shown with its place; the owner drops what a retired service recorded."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.sqlite.store import Local
from reconciler.bootstrap.operators import operator_names, operator_names_of_plan
from reconciler.cli import main
from reconciler.config.settings import Settings
from reconciler.plan.policy import Policy, load
from reconciler.safety import Safety, SafetyDocuments

PRIME, OTHER = "fabrikam-prime", "fabrikam-tailspin"
POLICY = "apiVersion: policy/v2\nallow: []\noperators: [ben@fabrikam.com]\n"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store in which the deployed service recorded itself in two organizations."""
    path = tmp_path / "state.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILER_STATE", str(path))
    clock = SystemClock()
    with closing(Local(path, clock)) as stores:
        for number, organization in enumerate((PRIME, OTHER), 1):
            Safety(stores.safety, clock).record_operator(organization, f"id-{number}", "Pool operator")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["operators", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_every_operator_is_shown_with_what_names_it(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (state.parent / "policy.yaml").write_text(POLICY)
    monkeypatch.setenv("RECONCILER_OPERATORS", "ann@fabrikam.com")

    code, out, _ = run(capsys, "show", "--policy", "policy.yaml", "--no-color")

    assert (code, out.splitlines()) == (0, [
        "every organization: ann@fabrikam.com, RECONCILER_OPERATORS",
        "every organization: ben@fabrikam.com, policy.yaml",
        f"{PRIME}: Pool operator (id-1), recorded by the service",
        f"{OTHER}: Pool operator (id-2), recorded by the service",
    ])  # fmt: skip
    document = json.loads(run(capsys, "show", "--output", "json")[1])
    assert [one["id"] for one in document["operators"]] == [None, "id-1", "id-2"]
    assert f"| {PRIME} | Pool operator | id-1 | recorded by the service |" in run(capsys, "--output", "markdown")[1]


def test_a_record_is_cleared_for_one_organization(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "clear", PRIME.upper())
    assert (code, f"{PRIME}: Pool operator is no longer recorded" in out) == (0, True)
    assert [one["organization"] for one in json.loads(run(capsys, "--output", "json")[1])["operators"]] == [OTHER]

    again = run(capsys, "clear", PRIME)
    assert (again[0], f"no operator is recorded for {PRIME}" in again[2]) == (1, True)


@pytest.mark.parametrize("arguments", [["clear"], ["show", PRIME], ["clear", "a/b"], ["clear", "../x"], ["drop"]])
def test_bad_input_clears_nothing(state: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(capsys, *arguments)[0] == 1
    assert len(json.loads(run(capsys, "--output", "json")[1])["operators"]) == 2


def test_a_damaged_record_is_an_error_and_not_an_empty_list(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(Local(state, SystemClock())) as stores:
        SafetyDocuments(stores.safety).change("operators", lambda _: {"organizations": {PRIME: "x"}})
    code, out, err = run(capsys)
    assert (code, out, "is damaged; restore it" in err) == (1, "", True)
    assert run(capsys, "clear", PRIME)[0] == 1


def test_nothing_is_known_without_a_store_and_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECONCILER_STATE", str(tmp_path / "none.db"))
    code, out, err = run(capsys)
    assert (code, out, "no operator is named or recorded" in err) == (0, "", True)
    assert run(capsys, "clear", PRIME)[0] == 1
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("named", ["", "ann@fabrikam.com"])
def test_a_recorded_operator_is_protected_beside_those_that_a_laptop_names(state: Path, named: str) -> None:
    """RECONCILER_OPERATORS on a laptop once hid the deployed service, so that a run there could remove it."""
    settings = Settings.read({"RECONCILER_STATE": str(state), "RECONCILER_OPERATORS": named})
    with closing(Local(state, SystemClock())) as stores:
        documents = SafetyDocuments(stores.safety)
        applying = operator_names(settings, Policy(), documents, service=False)
        assert (applying.names, applying.recorded(PRIME)) == (tuple(filter(None, [named])), {"id-1": "Pool operator"})
        deployed = operator_names(settings, Policy(), documents, service=True)
        assert (deployed.deployed, dict(deployed.recorded(PRIME))) == (True, {}), "it replaces an earlier service"
    assert operator_names_of_plan(settings, Policy()).recorded(PRIME) == {"id-1": "Pool operator"}


def test_a_plan_reads_the_record_in_the_state_that_the_policy_names(state: Path) -> None:
    """It once read the default state, so that its guards compared with the person who planned."""
    policy = state.parent / "policy.yaml"
    policy.write_text(f"apiVersion: policy/v2\nallow: []\nstate: {state}\n")
    settings = Settings.read({"RECONCILER_POLICY": str(policy), "XDG_STATE_HOME": str(state.parent / "home")})
    assert operator_names_of_plan(settings, load(policy.read_bytes())).recorded(PRIME) == {"id-1": "Pool operator"}
