"""Each question with the emulator's switches both ways: what was seen, what it rests on, and what could not be told."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import Running
from reconciler import bootstrap
from reconciler.errors import Forbidden, Refused, Unavailable
from reconciler.survey.capabilities import CAREFUL, QUESTIONS, Beliefs
from reconciler.survey.capabilities.answers import Capabilities
from reconciler.survey.capabilities.document import text
from reconciler.tools.probe import ProbeOrganization
from tests.tools.probe.kit import PEOPLE, PRIME, answer, ask, create, estate, settings_for, world


@pytest.mark.parametrize(
    ("question", "switches", "said", "counts"),
    [
        (
            "organization-queue-list",
            {"devops__organization_queue_list": "listed"},
            "seen yes (complete)",
            {"agreed": 6},
        ),
        ("organization-queue-list", {"devops__organization_queue_list": "incomplete"}, "seen no (incomplete)", {}),
        ("organization-queue-list", {"devops__organization_queue_list": "refused"}, "seen no (refused)", {}),
        ("authorized-list", {"devops__authorized_resources": "complete"}, "seen yes (complete)", {"agreed": 4}),
        ("authorized-list", {"devops__authorized_resources": "incomplete"}, "seen no (incomplete)", {"missing": 2}),
        ("authorized-list", {"devops__authorized_resources": "refused"}, "seen no (refused)", {}),
        ("missing-queue-permissions", {"devops__permissions_of_missing_queue": "empty"}, "seen no (empty)", {}),
        (
            "missing-queue-permissions",
            {"devops__permissions_of_missing_queue": "not-found"},
            "seen yes (not-found)",
            {},
        ),
        ("pool-roles", {}, "seen yes (as-documented)", {"roles": 3, "Administrator allows": 27}),
        (
            "pool-roles",
            {"devops__pool_administrator_bits": 59},
            "seen yes (as-documented)",
            {"Administrator allows": 59},
        ),
        ("pool-roles", {"devops__pool_service_role_name": "ServiceAccount"}, "seen no (otherwise)", {"roles": 3}),
        (
            "inheritance-flag",
            {"devops__acl_inherit_flag": "follows"},
            "seen yes (follows)",
            {"inheriting": 1, "alone": 1},
        ),
        ("inheritance-flag", {"devops__acl_inherit_flag": "always-on"}, "seen no (apart)", {"against": 1}),
        ("rate-headers", {"devops__rate_limit": "off"}, "could not tell", {"told": 0}),
    ],
)
def test_a_question_is_answered_as_the_organization_behaves(
    question: str, switches: dict[str, Any], said: str, counts: dict[str, int]
) -> None:
    found = answer(question, **switches)

    assert str(found) == said
    assert found.evidence.counts.items() >= counts.items()
    assert found.why
    assert question == "rate-headers" or found.evidence.status


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("agent-cloud", "seen yes (marked)"),
        ("options", "seen yes (marked)"),
        ("owner", "seen yes (marked)"),
        ("none", "seen no (plain)"),
    ],
)
def test_how_agent_pools_are_marked_is_seen_on_one_that_is_there(word: str, said: str) -> None:
    with world(devops__managed_pool_marks=word) as running:
        create(running, "fabrikam-linux")

        assert str(ask(running).answers["agent-pool-marks"]) == said


@pytest.mark.parametrize(("word", "said"), [("on", "seen yes (echoed)"), ("off", "could not tell")])
def test_an_echo_is_seen_and_silence_proves_nothing(word: str, said: str) -> None:
    """ARM does not say which pools were made with the flag."""
    with world(arm__echo_open_access=word) as running:
        create(running, "fabrikam-linux", open_access=True)

        assert str(ask(running).answers["arm-open-access"]) == said


@pytest.mark.parametrize(("word", "said"), [("on", "seen yes (alias)"), ("off", "seen no (resource)")])
def test_which_name_an_agent_pool_has_is_seen_on_one_with_an_alias(word: str, said: str) -> None:
    with world(arm__alias_names_pool=word) as running:
        create(running, "fabrikam-linux", alias="linux")

        assert str(ask(running).answers["alias-names-pool"]) == said


def test_headers_of_the_rate_limit_are_told_by_name() -> None:
    """The budget ends with the last call of all, which is slowed and says so; one before it would end the asking."""
    with world() as running:
        running.do.reset_log()
        ask(running)
        calls = sum(entry["plane"] == "devops" for entry in running.do.requests())
    with world(devops__rate_limit="on", devops__tstu_per_call=1, devops__tstu_budget=calls - 0.5) as running:
        found = ask(running).answers["rate-headers"]

    assert str(found) == "seen yes (told)"
    assert found.evidence.counts == {"calls": found.evidence.counts["calls"], "told": 1}
    assert "x-ratelimit-remaining" in found.evidence.headers


@pytest.mark.parametrize(
    ("question", "state", "needed"),
    [
        ("authorized-list", estate(opened=0), "needs 3 queues that are open to all pipelines"),
        ("authorized-list", estate(opened=2), "needs 3 queues that are open to all pipelines"),
        ("agent-pool-marks", None, "a Managed DevOps Pool of this organization"),
        ("arm-open-access", None, "a Managed DevOps Pool of this organization"),
        ("alias-names-pool", None, "a pool with an alias"),
    ],
)
def test_what_nothing_there_can_tell_says_what_would_be_needed(
    question: str, state: dict[str, Any] | None, needed: str
) -> None:
    found = answer(question, state)

    assert not found.known
    assert needed in found.why


def without_projects() -> dict[str, Any]:
    made = estate()
    (prime,) = made["organizations"]
    prime["projects"], prime["agentPools"] = [], [{"name": "build", "inherit": True}]
    return made


def test_an_organization_without_projects_leaves_the_questions_about_projects_open() -> None:
    with world(without_projects(), devops__organization_queue_list="listed") as running:
        found = ask(running).answers

    open_ = {"organization-queue-list", "authorized-list", "missing-queue-permissions", "inheritance-flag"}
    assert {name for name, one in found.items() if name in open_ and not one.known} == open_


# --- it cannot write ---


def test_asking_sends_gets_and_nothing_else() -> None:
    """The emulator's count and every single method, whatever the questions find."""
    with world(devops__organization_queue_list="listed") as running:
        create(running, "fabrikam-linux", alias="linux", open_access=True)
        before = running.do.state()
        running.do.reset_log()

        ask(running)

        assert running.do.count(writes=True) == 0
        assert {entry["method"] for entry in running.do.requests()} == {"GET"}
        assert running.do.state() == before


def test_its_connections_refuse_to_send_anything_else(running: Running) -> None:
    """Also where a fault of ours would hold a writer over them: nothing leaves the machine."""
    from reconciler.adapters.arm.pools import ArmWrites  # noqa: PLC0415 - what the probe must not be able to be
    from reconciler.adapters.devops.writes import DevOpsWrites  # noqa: PLC0415

    desk = bootstrap.questions(settings_for(running))
    session, arm = desk.raw._session, desk.readers.arm  # type: ignore[attr-defined]  # the port does not say
    pool = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.DevOpsInfrastructure/pools/x"
    running.do.reset_log()

    with pytest.raises(Refused, match="sends GET requests only"):
        DevOpsWrites(session).remove_role(PRIME, "distributedtask.agentpoolrole", "1", "somebody")
    with pytest.raises(Refused, match="sends GET requests only"):
        DevOpsWrites(session).set_open_access(PRIME, "project", 1, allow=True)
    with pytest.raises(Refused, match="sends GET requests only"):
        ArmWrites(arm).put(pool, {"location": "eastus"})  # type: ignore[arg-type]  # the port is a protocol
    desk.close()

    assert running.do.requests() == []


# --- what it keeps, and what goes wrong ---


def test_nothing_that_names_anybody_gets_into_the_file() -> None:
    with world() as running:
        create(running, "fabrikam-linux", open_access=True)
        written = text(Capabilities(organizations={PRIME: ask(running)})).lower()

    for secret in (*PEOPLE, "arbor", "@fabrikam", "devops-operator", "arm-operator", "aad."):
        assert secret not in written.partition("notasked")[0]


def test_a_right_that_is_missing_leaves_its_question_open_and_no_other() -> None:
    with world() as running:
        running.do.fault("403", path="*accesscontrollists*")
        found = ask(running).answers

    assert str(found["inheritance-flag"]) == "could not tell"
    assert "permission to read this" in found["inheritance-flag"].why
    assert found["authorized-list"].known


def test_a_project_that_hides_its_queues_stops_no_question() -> None:
    with world(estate(opened=6)) as running:
        running.do.fault(
            "404", path="*/distributedtask/queues", skip=1, count=1
        )  # the first is the whole organization's
        found = ask(running).answers["authorized-list"]

    assert (str(found), found.evidence.counts) == ("seen yes (complete)", {"projects": 2, "agreed": 4})


def test_an_organization_that_lets_nobody_in_was_not_asked(running: Running) -> None:
    running.do.fault("401")

    with pytest.raises(Forbidden):
        ask(running)


def test_no_answer_ends_the_asking(running: Running) -> None:
    """What was known before is worth more than half of it."""
    running.do.fault("503", path="*authorizedresources*", count=9)

    with pytest.raises(Unavailable):
        ask(running)


def test_every_question_that_is_asked_has_an_answer(running: Running) -> None:
    assert set(ask(running).answers) == {question.name for question in QUESTIONS if question.asked}


def test_what_was_found_out_is_what_the_operator_believes() -> None:
    with world(devops__organization_queue_list="listed") as running:
        found = ask(running)

    beliefs = Capabilities(organizations={PRIME: found}).beliefs(found.at)
    assert beliefs == {PRIME: Beliefs(authorized="complete", queues_everywhere=True)}
    assert Capabilities().beliefs(found.at).get(PRIME, CAREFUL) == CAREFUL


@pytest.fixture
def running() -> Any:
    with world() as made:
        yield made


def test_an_organization_of_thousands_is_not_read_as_a_whole() -> None:
    """Comparisons are made on projects spread evenly; a question is no reason to be slowed."""
    large = estate()
    (prime,) = large["organizations"]
    names = [f"project-{number:04d}" for number in range(400)]
    prime["projects"] = names
    prime["agentPools"] = [
        {"name": "build", "inherit": True, "queues": [{"project": name, "openAccess": True} for name in names]}
    ]
    with world(large, devops__organization_queue_list="listed") as running:
        running.do.reset_log()
        found = ask(running).answers
        calls = len(running.do.requests())

    assert found["organization-queue-list"].evidence.counts == {"projects": 50, "agreed": 50}
    assert found["authorized-list"].evidence.counts["agreed"] == 24
    assert calls < 200


def test_the_ground_is_of_one_organization() -> None:
    """Pools of other organizations, and of GitHub, tell nothing of this one."""

    class Silent:
        """Is asked for nothing."""

    other = {
        "name": "a",
        "properties": {
            "organizationProfile": {"kind": "AzureDevOps", "organizations": [{"url": "https://dev.azure.com/other"}]}
        },
    }
    github = {
        "name": "b",
        "properties": {"organizationProfile": {"kind": "GitHub", "organizations": [{"url": "https://github.com/x"}]}},
    }
    ours = {
        "name": "c",
        "properties": {
            "organizationProfile": {
                "kind": "AzureDevOps",
                "alias": "d",
                "organizations": [{"url": f"https://{PRIME}.visualstudio.com/"}],
            }
        },
    }
    ground = ProbeOrganization(PRIME, Silent(), Silent(), [other, github, ours, {}])  # type: ignore[arg-type]  # none is asked

    assert [(name, alias) for _, name, alias in ground.managed] == [("c", "d")]
