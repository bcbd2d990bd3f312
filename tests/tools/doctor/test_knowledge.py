"""`doctor` tells of answers that are too old to count, and of a switch that nobody can see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator import Running
from reconciler.documents import moment
from reconciler.rights.checks import Check, CheckResult
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.survey.capabilities import Capabilities, CapabilityAnswer, OrganizationAnswers, text
from reconciler.tools.doctor import known
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


def test_answers_that_count_are_fine_and_those_of_nobody_s_pools_are_not_looked_at() -> None:
    (check,) = known(specs(), capabilities(89), NOW, 90)

    assert (check.place, check.verdict, check.detail) == (PRIME, CheckResult.OK, "")


def test_answers_that_are_too_old_are_told_with_what_to_do() -> None:
    (check,) = known(specs(), capabilities(120), NOW, 90)

    assert check.verdict is CheckResult.MISSING
    assert check.detail == "asked 120 days ago, and answers count for 90; the careful way is taken"
    assert check.grant.remedy == f"python -m reconciler probe {PRIME}, and deploy the file"


def test_how_long_an_answer_counts_is_for_the_deployment_to_say() -> None:
    assert missing(known(specs(), capabilities(120), NOW, 365)) == []


def test_without_a_file_there_is_nothing_to_tell() -> None:
    assert known(specs(), Capabilities(), NOW, 90) == ()


def test_a_spec_that_wants_what_cannot_be_seen_is_named() -> None:
    """Where the list does not show the switch, what is written there is never seen to be in force."""
    managed = [spec.name for spec in specs() if PRIME in {one.name for one in spec.organizations}]

    assert {what for _, what in missing(known(specs(), apart(), NOW, 90))} <= {
        f"see whether agent pool {name} inherits roles" for name in managed
    }
    assert missing(known(specs(), apart(), NOW, 90)) != []


def test_people_s_questions_are_answered_by_what_is_there(
    signed_in: Shell, world: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right to read a project is seen by reading it; only plans take what saves reads."""
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
    assert f"  missing  {PRIME}: know what was found out by asking: asked 9" in ended.out
    assert f"python -m reconciler probe {PRIME}, and deploy the file" in ended.out
