"""The estate's organizations: what is dumped is the same estate again, and mistakes name their place."""

from __future__ import annotations

from typing import Any

import pytest

import emulator
from emulator.estate import EstateError
from tests.emulator.devops.fabrikam import Caller, estate

Json = Any


def test_a_dumped_estate_is_the_same_estate_again(operator: Caller) -> None:
    operator.do.edit("delete-project", organization="prime", project="foreign")
    operator.do.edit("set-inheritance", organization="prime", on=False, pool="build")
    first = operator.do.state()
    operator.do.replace(first)

    assert operator.do.state() == first


def test_numbers_are_not_given_twice(operator: Caller) -> None:
    """Also not after an estate came back in which the highest number is gone."""
    made = operator.ok("POST", "/_apis/distributedtask/pools", {"name": "fresh"})["id"]
    operator.ok("DELETE", f"/_apis/distributedtask/pools/{made}")
    operator.do.replace(operator.do.state())

    assert operator.ok("POST", "/_apis/distributedtask/pools", {"name": "fresh"})["id"] == made + 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"nmae": "x"}, r"organizations\[0\]: unknown key 'nmae'; did you mean 'name'"),
        ({"name": 5}, r"organizations\[0\].name: 5 is not a text"),
        ({"projects": "dev"}, r"projects: 'dev' is not a list"),
        ({"projects": [7]}, r"projects\[0\]: 7 is not a mapping"),
        ({"projects": ["dev", "DEV"]}, r"projects\[1\].name: 'DEV' is there twice"),
        ({"projects": [{"name": "x", "pipelines": [{"id": "1", "name": "y"}]}]}, "is not a whole number"),
        ({"identities": ["nobody"]}, r"identities\[0\].principal: 'nobody' is not among the estate's principals"),
        ({"groups": [{"name": "Platform"}]}, r"'Platform' is not of the form"),
        ({"groups": [{"name": "[x]\\Platform"}]}, "'x' is neither Prime nor one of its projects"),
        ({"groups": [{"name": "[Prime]\\P", "members": ["nobody"]}]}, "members: 'nobody' is neither"),
        ({"identities": [{"principal": "operator", "members": ["ann"]}]}, "'operator' is not a group"),
        ({"administrators": ["carl"]}, "'carl' is not an identity of Prime"),
        ({"roles": {"Emperor": ["ann"]}}, "'Emperor' is not a role here"),
        ({"roles": ["ann"]}, "is not a mapping of role to names"),
        ({"roles": {"Reader": [5]}}, "5 is not a text"),
        ({"agentPools": [{"name": "a"}, {"name": "A"}]}, r"agentPools\[1\].name: 'A' is there twice"),
        ({"agentPools": [{"name": "a", "id": 1}, {"name": "b", "id": 1}]}, "id: 1 is there twice"),
        ({"agentPools": [{"name": "a", "inherit": "no"}]}, "'no' is neither true nor false"),
        ({"agentPools": [{}]}, r"agentPools\[0\].name: is missing"),
        ({"agentPools": [{"name": "a", "queues": ["nothing"]}]}, "'nothing' is not a project of Prime"),
        ({"agentPools": [{"name": "a", "queues": ["dev", "dev"]}]}, "has a queue of a already"),
        (
            {"agentPools": [{"name": "a", "queues": [{"project": "dev", "id": 1}, {"project": "test", "id": 1}]}]},
            "id: 1 is there twice",
        ),
        ({"agentPools": [{"name": "a", "queues": [{"project": "dev", "pipelines": [{}]}]}]}, "id: is missing"),
        ({"agentPools": [{"name": "a", "createdBy": "nobody"}]}, "createdBy: 'nobody' is not an identity"),
    ],
)
def test_a_mistake_names_its_place(changed: Json, words: str) -> None:
    with pytest.raises(EstateError, match=words):
        emulator.start(estate(**changed))


def test_an_organization_is_there_once() -> None:
    document = estate()
    document["organizations"].append({"name": "PRIME"})

    with pytest.raises(EstateError, match="'PRIME' is there twice"):
        emulator.start(document)
