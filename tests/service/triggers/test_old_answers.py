"""Health tells of answers of `probe` that are too old to count; the Functions app reads the file that is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.documents import moment
from reconciler.service.http.message import HttpRequest
from reconciler.service.triggers import TriggerContext, web
from reconciler.survey.capabilities.answers import (
    AnswerEvidence,
    Capabilities,
    CapabilityAnswer,
    OrganizationAnswers,
)
from reconciler.survey.capabilities.document import text
from tests.deployment import Deployment, with_options

PRIME, TAILSPIN = "fabrikam-prime", "fabrikam-tailspin"


def checks(context: TriggerContext) -> tuple[int, dict[str, str]]:
    answered = web.answer(context, "health", HttpRequest("GET", "/api/health"))
    return answered.status, {check["name"]: check["detail"] for check in answered.body["checks"]}


def test_health_tells_of_old_answers_and_is_healthy_all_the_same(deployment: Deployment) -> None:
    """Conservative defaults work; a file alone is no alert. Which organizations it is about stays inside."""
    context = deployment.context()
    now = context.clock.now()
    asked = OrganizationAnswers(asked=moment((now - timedelta(days=3)).replace(microsecond=0)), answers={})
    both = Capabilities(organizations={PRIME: asked, TAILSPIN: asked})

    assert "capabilities" not in checks(context)[1]
    fresh = with_options(context, capabilities=both)
    assert (checks(fresh)[0], checks(fresh)[1]["capabilities"]) == (
        200,
        "results of probe are valid for 2 organizations",
    )
    old = with_options(context, capabilities=both, capabilities_days=2.0)
    assert (checks(old)[0], checks(old)[1]["capabilities"]) == (
        200,
        "results of probe have expired for 2 of 2 organizations; run probe again",
    )


def test_the_functions_app_believes_the_file_that_its_setting_names(deployment: Deployment, tmp_path: Path) -> None:
    written = OrganizationAnswers(
        asked=moment(datetime.now(UTC).replace(microsecond=0)),
        answers={
            "authorized-list": CapabilityAnswer(
                verdict="seen yes", answer="complete", evidence=AnswerEvidence(counts={"agreed": 3})
            )
        },
    )
    path = tmp_path / "capabilities.yaml"
    path.write_text(text(Capabilities(organizations={PRIME: written})))

    context = deployment.context(CAPABILITIES=str(path))

    assert context.options.capabilities.organizations == {PRIME: written}
