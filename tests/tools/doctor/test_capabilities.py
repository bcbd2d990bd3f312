"""`doctor` reports answers of `probe` that are too old to count, and a switch that cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator import Running
from reconciler.documents import moment
from reconciler.plan.rights.checks import Check, CheckResult
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.survey.capabilities.answers import Capabilities, CapabilityAnswer, OrganizationAnswers
from reconciler.survey.capabilities.document import text
from reconciler.tools.doctor import capability_checks
from tests.shell import DEMO, Shell

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
PRIME = "fabrikam-prime"


def specs() -> tuple[Spec, ...]:
    return load({path.name: path.read_bytes() for path in (DEMO / "specs").glob("*.yaml")}).specs


def capabilities(
    age: float, answer: CapabilityAnswer | None = None, question: str = "inheritance-flag"
) -> Capabilities:
    asked = OrganizationAnswers(asked=moment(NOW - timedelta(days=age)), answers={question: answer} if answer else {})
    return Capabilities(organizations={PRIME: asked, "elsewhere": asked})


def apart(age: float = 1) -> Capabilities:
    return capabilities(age, CapabilityAnswer(verdict="seen no", answer="apart"))


def missing(checks: tuple[Check, ...]) -> list[tuple[str, str]]:
    return [(check.place, check.what) for check in checks if check.verdict is CheckResult.MISSING]


def test_fresh_answers_are_fine_and_organizations_without_a_spec_are_left_out() -> None:
    (check,) = capability_checks(specs(), capabilities(89), NOW, 90)

    assert (check.place, check.verdict, check.detail) == (PRIME, CheckResult.OK, "")


def test_answers_that_are_too_old_are_reported_with_the_remedy() -> None:
    (check,) = capability_checks(specs(), capabilities(120), NOW, 90)

    assert check.verdict is CheckResult.MISSING
    assert check.detail == "probed 120 days ago, answers count for 90; conservative defaults apply"
    assert check.grant.remedy == f"python -m reconciler probe {PRIME}, and deploy the file"


def test_the_deployment_sets_how_long_an_answer_counts() -> None:
    assert missing(capability_checks(specs(), capabilities(120), NOW, 365)) == []


def test_without_a_file_nothing_is_reported() -> None:
    assert capability_checks(specs(), Capabilities(), NOW, 90) == ()


def test_a_spec_that_manages_what_cannot_be_read_is_named() -> None:
    """Where the list does not show the switch, a write is never verified."""
    managed = [spec.name for spec in specs() if PRIME in {one.name for one in spec.organizations}]

    assert {what for _, what in missing(capability_checks(specs(), apart(), NOW, 90))} <= {
        f"read whether agent pool {name} inherits roles" for name in managed
    }
    assert missing(capability_checks(specs(), apart(), NOW, 90)) != []


def test_only_plans_use_the_cheaper_reads(signed_in: Shell, world: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right to read a project is checked by reading it."""
    world.do.switch("devops.organization-queue-list", "listed")
    assert signed_in.run("probe", PRIME, "--to", "c.yaml").code == 0
    monkeypatch.setenv("RECONCILER_CAPABILITIES", "c.yaml")
    asked: dict[str, int] = {}
    for command in (
        ["plan"],
        ["doctor"],
        ["explain", "fabrikam-managed-pool", f"{PRIME}/fabrikam-dev"],
        ["import", "--to", "out"],
    ):
        world.do.reset_log()
        signed_in.run(*command)
        asked[command[0]] = sum(one["route"] == "queues.list-organization" for one in world.do.requests())

    assert asked == {"plan": 1, "doctor": 0, "explain": 0, "import": 0}


def test_doctor_ends_with_2_and_the_command(signed_in: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in.write("c.yaml", text(capabilities(900)))
    monkeypatch.setenv("RECONCILER_CAPABILITIES", "c.yaml")

    ended = signed_in.run("doctor")

    assert ended.code == 2
    assert f"  missing  {PRIME}: have current answers of probe: probed 9" in ended.out
    assert f"python -m reconciler probe {PRIME}, and deploy the file" in ended.out
