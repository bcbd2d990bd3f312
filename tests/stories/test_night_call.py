"""The night call: a page names a pool. What is wrong, since when, who, what was done, what is next: three commands answer.

Everything that the person reads is what `status`, `plan` and `history` print; the tests know the world behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.engine import Outcome
from reconciler.safety import ModeScope, WriteMode
from tests.cli.process import Desk, Ended
from tests.deployment import deployed, spec
from tests.service.triggers.test_attribution import ACCESS, POOL, Story
from tests.wording import doubled, identifiers

MOMENT = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC"
PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


class Night(NamedTuple):
    """A deployment with one person at a desk."""

    story: Story
    desk: Desk

    def run(self, *arguments: str) -> Ended:
        """One command; no line of it names one thing by two words."""
        ended = self.desk.run(*arguments)
        assert doubled(ended.out + ended.err) == identifiers(ended.out + ended.err) == []
        return ended

    def status(self) -> Ended:
        return self.run("status", POOL)

    def plan(self) -> Ended:
        assert self.run("plan", POOL, "--output", "markdown").out
        return self.run("plan", POOL)

    def history(self) -> Ended:
        return self.run("history", POOL)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Both pools in sync, and nothing has happened yet."""
    with deployed(tmp_path) as made:
        story = Story(made)
        yield Night(story, Desk(made.folder, dict(made.environment)))


def line(ended: Ended, begin: str) -> str:
    """The one line of the output that begins so."""
    (found,) = [one.strip() for one in ended.out.splitlines() if one.strip().startswith(begin)]
    return found


def runbook(ended: Ended) -> str:
    """The heading that the link leads to."""
    where = line(ended, "runbook: ").removeprefix("runbook: ")
    path, _, anchor = where.partition("#")
    assert path == "docs/operations.md"
    seen: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", PAGE.read_text(), re.MULTILINE):
        slug = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        number = seen[slug] = seen.get(slug, -1) + 1
        if (f"{slug}-{number}" if number else slug) == anchor:
            return str(heading)
    raise AssertionError(f"{where} leads nowhere")


def test_somebody_reopened_access_while_the_mode_lets_nothing_be_written(night: Night) -> None:
    night.story.context.safety.set_mode(ModeScope(), WriteMode.REPORT, reason="holiday", by="ann")
    night.story.by_hand("close-access", pool=POOL, project="Web")
    night.story.heard()
    assert night.story.run().outcome is Outcome.OUT_OF_SYNC

    status, plan, history = night.status(), night.plan(), night.history()

    assert status.code == plan.code == 2
    assert re.match(rf"{POOL} @ [0-9a-f]+ +OutOfSync \(drift\)", line(status, POOL))
    assert re.match(
        rf"Ready False, OutOfSync, since {MOMENT}, seen at {MOMENT}: .*1 granting access", line(status, "Ready")
    )
    assert "holiday" in status.out
    assert line(status, "next: ").startswith("next: nothing is written before its cause changes; read again ")
    assert runbook(status) == "OutOfSync"
    assert re.search(r"open access: changed by ann@fabrikam\.com \(audit log, ", plan.out)
    assert "not applied: mode report" in plan.out
    assert "holiday" in plan.out
    written = history.out.splitlines()[0].rpartition("  ")[0].replace(f"  {POOL}  ", " UTC  ")
    assert line(status, "last write: ") == f"last write: {written}"


def test_an_intruder_was_removed_and_nothing_is_left_to_do(night: Night) -> None:
    night.story.by_hand("add-identity", principal="zoe")
    night.story.by_hand("set-role", pool=POOL, who="zoe", role="Administrator")
    night.story.heard()
    assert night.story.run().outcome is Outcome.APPLIED

    status, plan, history = night.status(), night.plan(), night.history()

    assert status.code == plan.code == 0
    assert re.search(r"Ready True, InSync, since ", status.out)
    for told in (line(status, "last write: "), history.out.splitlines()[0]):
        assert "- administrator" in told
        assert "zoe" in told
        assert "verified" in told
        assert "drift, probably by ann@fabrikam.com" in told
    assert line(status, "next: ").startswith("next: read again ")
    assert "runbook" not in status.out, "nothing is to be done"
    assert "in sync" in plan.out


def test_an_operation_of_arm_does_not_end(night: Night) -> None:
    night.story.do.switch("arm.update-seconds", 360_000)
    night.story.deployment.commit(**{POOL: spec(POOL, concurrency=5) + ACCESS})
    assert night.story.run().outcome is Outcome.PROGRESSING

    status, history = night.status(), night.history()

    assert status.code == 2
    assert re.match(rf"Ready False, Progressing, since {MOMENT}", line(status, "Ready"))
    assert re.search(
        rf"ARM finishes the write of pool {POOL}, begun {MOMENT}; its state is read again ", line(status, "next: ")
    )
    assert runbook(status) == "Progressing"
    newest = history.out.splitlines()[0]
    assert "maximumConcurrency" in night.desk.run("history", "show", newest.split()[-1]).out
    assert f"{POOL}.yaml" in newest
    assert "event" in newest, "what caused it: nobody's drift"
    assert "?" not in status.out, "a signed address of the operation"
    assert "maximumConcurrency" in night.plan().out or "ARM is at work on the pool" in night.plan().out


def test_the_policy_refuses_what_the_spec_says(tmp_path: Path) -> None:
    with deployed(tmp_path, {"RECONCILER_POLICY": str(tmp_path / "policy.yaml")}) as made:
        (tmp_path / "policy.yaml").write_text("{}\n")
        story = Story(made)
        desk = Desk(made.folder, dict(made.environment))
        night = Night(story, desk)
        assert desk.run("policy", "init", "--to", "policy.yaml", "--force").code == 0
        text = (tmp_path / "policy.yaml").read_text()
        assert "openAccess:" in text
        (tmp_path / "policy.yaml").write_text(re.sub(r"openAccess:\n +- .*", "openAccess: []", text))
        story.by_hand("close-access", pool=POOL, project="Web")
        story.heard()
        story.context = made.context()
        assert story.run().outcome is Outcome.STALLED

        status, plan = night.status(), night.plan()

        assert status.code == 1
        assert re.match(rf"Stalled True, Refused, since {MOMENT}: .*policy", line(status, "Stalled"))
        assert line(status, "next: ").startswith(
            "next: nothing is done about it until an administrator acts; read again "
        )
        assert runbook(status) == "Refused"
        assert re.search(r"! open access .* refused: policy-open-access", plan.out)
        assert re.search(r"\(policy:\d+\)", plan.out), "the line that refuses"
        assert re.search(r"changed by ann@fabrikam\.com", plan.out)


def test_the_service_throttles(night: Night) -> None:
    night.story.by_hand("close-access", pool=POOL, project="Web")
    night.story.heard()
    night.story.do.fault("429", plane="devops", count=None, seconds=300)
    assert night.story.run().outcome is Outcome.FAILED

    status = night.status()

    assert status.code == 2
    assert re.match(rf"Reconciling True, Throttled, since {MOMENT}", line(status, "Reconciling"))
    assert line(status, "next: ").startswith("next: tried again by itself, ")
    assert runbook(status) == "Throttled"
    night.story.do.clear_faults()
    assert "changed by ann@fabrikam.com" in night.plan().out
