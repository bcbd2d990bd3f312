"""What `adopt` leaves alone and says, and every shape of a spec's file, against an emulated estate."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from reconciler.errors import NotFound
from reconciler.spec.source import documents
from reconciler.tools.adopt.rounds import AdoptionOutcome
from tests.aspects.adopting import (
    API,
    PRIME,
    RESOURCE,
    TAILSPIN,
    TEXT,
    Adopting,
    concurrency,
    machines,
    settled_cloud,
    switch_automatic_queues,
    tags,
)
from tests.aspects.shop import POOL

Json = Any


@pytest.fixture
def adopting(tmp_path: Path) -> Iterator[Adopting]:
    with settled_cloud() as cloud:
        yield Adopting(cloud, tmp_path)


# --- what is not adopted ----------------------------------------------------------------------------------------


def reasons(outcome: AdoptionOutcome) -> dict[str, str]:
    return dict(outcome.left)


def test_a_pool_that_is_gone_is_not_adopted(adopting: Adopting) -> None:
    headers = {"Authorization": f"Bearer {adopting.cloud.tokens['arm']}"}
    requests.delete(
        f"{adopting.cloud.arm}{RESOURCE}", params={"api-version": API}, headers=headers, timeout=30
    ).raise_for_status()
    adopting.cloud.do.settle()
    adopting.cloud.do.settle()

    outcome = adopting.adopt()

    assert outcome.after == TEXT.encode()
    assert "the pool does not exist in Azure" in reasons(outcome)[f"pool {POOL}"]


def test_a_hidden_pipeline_and_a_nameless_identity_are_not_adopted(adopting: Adopting) -> None:
    adopting.by_hand("authorize-pipeline", organization=PRIME, project="dev", pipeline=99)
    builders = {"organization": PRIME, "who": f"[{PRIME}]\\Builders"}
    adopting.cloud.do.edit("create-group", organization=PRIME, name="Builders")
    adopting.by_hand("set-role", role="Administrator", **builders)
    adopting.cloud.do.edit("double-identity", **builders)

    outcome = adopting.adopt()

    assert outcome.after == TEXT.encode()
    said = " ".join(reasons(outcome).values())
    assert "pipeline 99 is hidden or deleted, and no spec can name it" in said
    assert "no name leads back to this identity" in said


def test_what_looks_like_a_secret_gets_into_no_spec(adopting: Adopting) -> None:
    token = "ghp_" + "a1B2c3D4" * 5
    adopting.resource(lambda document: document["tags"].update(team=token))

    outcome = adopting.adopt()

    assert outcome.after == TEXT.encode()
    assert reasons(outcome)[f"pool {POOL}"] == "the value looks like a secret, and none is written to a spec"


HOSTILE = ["a\nb", "a\tb", "\u202ea", "a\u200bb", "\u2028", "\x00", "\x85", "[parameters('a')]"]
QUOTED = [
    *(
        "a: b",
        "# x",
        "x #y",
        "-x",
        "- x",
        "!x",
        "&a",
        "*a",
        "%a",
        "@a",
        "`a",
        "? a",
        "12",
        "1e5",
        "true",
        "null",
        "~",
        "on",
    ),
    *(
        "2026-01-01",
        "'q'",
        '"q"',
        "{a}",
        "a,b",
        " lead",
        "trail ",
        "##vso[x]",
        "é",
        "=",
        "<<",
        "|",
        ">",
        "\U0001f600",
        "a\\nb",
    ),
]


def test_a_text_that_no_file_can_say_is_left_alone_with_its_change(adopting: Adopting) -> None:
    adopting.by_hand("close-access", organization=TAILSPIN, project="Web")
    for text in HOSTILE:
        adopting.resource(lambda document, text=text: document["tags"].update(team=text))  # type: ignore[misc]

        outcome = adopting.adopt()

        assert f"{TAILSPIN}/Web" in outcome.after.decode(), text
        ((subject, why),) = outcome.left
        assert subject == f"pool {POOL}"
        assert why.startswith("pool.tags.team "), why
        assert why.isprintable()


def test_any_text_is_written_so_that_it_is_read_as_the_same(adopting: Adopting) -> None:
    """Each text is another tag's value, so that one plan shows all of them."""
    wanted = {"cost": "7", **{f"tag{number}": text for number, text in enumerate(QUOTED)}}
    adopting.resource(lambda document: document.update(tags=wanted))
    for build in ('"build"', "build", "'build'"):
        before = TEXT.replace('team: "build"', ", ".join(f"tag{number}: {build}" for number in range(len(QUOTED))))
        outcome = adopting.adopt(text=before)

        assert outcome.left == []
        assert documents(outcome.after)[0].value["pool"]["tags"] == wanted
        assert len(outcome.after.splitlines()) == len(before.splitlines())


def test_what_cannot_be_read_is_said(adopting: Adopting) -> None:
    adopting.by_hand("close-access", organization=TAILSPIN, project="Web")
    adopting.cloud.do.edit("hide-project", organization=PRIME, project="test")

    outcome = adopting.adopt()

    assert f"{TAILSPIN}/Web" in outcome.after.decode()
    assert any(f"{PRIME}/test" in subject for subject, _ in outcome.left)


def test_one_cause_is_said_once_and_in_words(adopting: Adopting) -> None:
    adopting.cloud.do.fault("403", plane="arm", count=None)

    outcome = adopting.adopt()

    ((subject, why),) = outcome.left
    assert "open access" in subject
    assert "_" not in subject
    assert why


def test_a_name_that_the_plan_does_not_have_is_an_error_with_the_nearest(adopting: Adopting) -> None:
    adopting.by_hand("close-access", organization=TAILSPIN, project="Web")

    with pytest.raises(NotFound, match=r"the plan has no change 'fabrikam-tailspin/Wep'; nearest: .*Web"):
        adopting.adopt(f"{TAILSPIN}/Wep")


def test_a_name_of_several_changes_is_an_error_with_their_ids(adopting: Adopting) -> None:
    text = TEXT.replace("  agentPools:", f"    - {{ organization: {TAILSPIN}, inherit: false }}\n  agentPools:")
    adopting.by_hand("set-inheritance", organization=TAILSPIN, on=True)
    switch_automatic_queues(adopting)

    with pytest.raises(NotFound) as caught:
        adopting.adopt(TAILSPIN, text=text)

    assert "names 2 changes; use the id of one: agent_pool:auto-provision:" in str(caught.value)
    assert adopting.adopt(f"inheritance:inheritance:{TAILSPIN}", text=text).left == []


def test_the_policy_that_would_refuse_it_is_named(adopting: Adopting) -> None:
    app = adopting.shop.app
    app.planner.policy = replace(app.planner.policy, open_access=("nobody/*",), projects=app.planner.policy.projects)
    adopting.by_hand("open-access", organization=PRIME, project="test")

    outcome = adopting.adopt()

    assert outcome.left == []
    assert outcome.warnings == [f"the policy does not let open access be granted in {PRIME}/test"]


def test_another_pool_in_the_file_and_in_the_folder_keeps_its_bytes(adopting: Adopting) -> None:
    adopting.resource(tags)
    other = TEXT.replace(POOL, "other-pool").replace("\n", "\r\n")

    outcome = adopting.adopt(text=f"{TEXT}---\n{other}", files={"b.yaml": TEXT.replace(POOL, "third").encode()})

    assert outcome.after.endswith(other.encode())
    assert b'tags: { team: "ops" }' in outcome.after


@pytest.mark.parametrize("shape", ["JSON", "az mdp", "kinds as keys", "anchors", "CRLF", "byte order mark"])
def test_every_shape_of_a_spec_is_adopted_in_its_shape(adopting: Adopting, shape: str) -> None:
    adopting.resource(concurrency)
    adopting.resource(machines)
    adopting.by_hand("set-role", organization=PRIME, who="bob", role="Administrator")
    text = SHAPES[shape]()

    outcome = adopting.adopt(text=text)

    assert outcome.left == []
    plan = adopting.shop.plan(outcome.spec)
    assert plan.in_sync, plan
    kept = sum(line in outcome.after.split(b"\n") for line in text.encode().split(b"\n"))
    assert kept >= len(text.split("\n")) - 6


def _kebab(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", name)


def _with_kebab(value: Json, *, free: bool = False) -> Json:
    if isinstance(value, dict):
        return {
            key if free else _kebab(key): _with_kebab(item, free=key in {"tags", "daysData"})
            for key, item in value.items()
        }
    return [_with_kebab(item, free=free) for item in value] if isinstance(value, list) else value


def _flat() -> str:
    document = yaml.safe_load(TEXT)
    properties = document["pool"].pop("properties")
    document["pool"] |= _with_kebab(properties)
    return yaml.dump(document, Dumper=Quoting, sort_keys=False)


def _kinds_as_keys() -> str:
    document = yaml.safe_load(TEXT)
    properties = document["pool"]["properties"]
    for name, key in (("agentProfile", "stateful"), ("fabricProfile", "vmss"), ("organizationProfile", "azureDevOps")):
        inner = properties[name]
        del inner["kind"]
        properties[name] = {key: inner}
    return yaml.dump(document, Dumper=Quoting, sort_keys=False)


def _anchors() -> str:
    return (
        TEXT.replace("    maximumConcurrency: 4   # for the release", "    maximumConcurrency: &most 4")
        .replace("administrators: [ann@fabrikam.com]", "administrators: &us [ann@fabrikam.com]")
        .replace(
            "users: [bob@fabrikam.com], readers: []", "users: [bob@fabrikam.com], readers: [], administrators: *us"
        )
    )


class Quoting(yaml.SafeDumper):
    """Writes texts that another reader takes for numbers in quotes."""


SHAPES: dict[str, Callable[[], str]] = {
    "JSON": lambda: json.dumps(yaml.safe_load(TEXT.replace("1.00:00:00", "'1.00:00:00'")), indent=2),
    "az mdp": _flat,
    "kinds as keys": _kinds_as_keys,
    "anchors": _anchors,
    "CRLF": lambda: TEXT.replace("\n", "\r\n"),
    "byte order mark": lambda: f"\ufeff{TEXT}",
}
