"""Random drift of a pool, made by hand and in ARM, is adopted: the plan after it is empty, and untouched lines stay."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.aspects.adopting import PRIME, QUICK, TAILSPIN, TEXT, Adopting, settled_cloud
from tests.aspects.shop import POOL
from tests.examples import tries

Json = Any
GENERATE = [Phase.reuse, Phase.generate]
"""An example takes seconds, so none is made smaller."""
PEOPLE = st.sampled_from(["ann", "bob", "eve"])
ROLES = st.sampled_from(["Reader", "User", "Creator", "Administrator"])
POOL_ROLES = st.sampled_from(["Reader", "Administrator"])
PLACES = st.sampled_from([(PRIME, "dev"), (PRIME, "test"), (TAILSPIN, "Web"), (TAILSPIN, "Legacy")])


def edit(what: str, **arguments: Any) -> st.SearchStrategy[tuple[str, dict[str, Json]]]:
    return st.tuples(st.just(what), st.fixed_dictionaries(arguments))


def at(pair: tuple[str, str]) -> dict[str, Json]:
    return {"organization": pair[0], "project": pair[1]}


EDITS = st.one_of(
    st.tuples(st.sampled_from(["open-access", "close-access", "delete-queue"]), PLACES.map(at)),
    st.tuples(
        st.just("authorize-pipeline"),
        st.builds(
            lambda place, number, word: {**at(place), "pipeline": number, "authorized": word},
            PLACES,
            st.sampled_from([41, 42]),
            st.booleans(),
        ),
    ),
    st.tuples(
        st.just("set-role"),
        st.builds(lambda place, who, role: {**at(place), "who": who, "role": role}, PLACES, PEOPLE, ROLES),
    ),
    edit("set-role", organization=st.sampled_from([PRIME, TAILSPIN]), who=PEOPLE, role=POOL_ROLES),
    edit("set-inheritance", organization=st.sampled_from([PRIME, TAILSPIN]), on=st.booleans()),
)
IMAGE: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"wellKnownImageName": st.sampled_from(["ubuntu-24.04", "ubuntu-22.04", "windows-2022"])},
    optional={"aliases": st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True)},
)


@st.composite
def resources(draw: st.DrawFn) -> Json:
    """Other values of fields that the spec names."""
    agents = draw(st.integers(1, 4))
    images = draw(st.lists(IMAGE, min_size=1, max_size=3, unique_by=lambda one: one["wellKnownImageName"]))
    taken: set[str] = set()
    for image in images:
        free = [alias for alias in image.get("aliases", ()) if alias not in taken]
        taken.update(free)
        image.pop("aliases", None)
        if free:
            image["aliases"] = free
    return {
        "agents": agents,
        "images": [{**image, "buffer": "*" if len(images) == 1 else "0"} for image in images],
        "tags": draw(
            st.dictionaries(st.sampled_from(["team", "cost", "Owner"]), st.sampled_from(["a", "it's", "7", "on", "#x"]))
        ),
        "lifetime": draw(st.sampled_from(["1.00:00:00", "2.12:30:00"])),
        "sku": draw(st.sampled_from(["Standard_D2ads_v5", "Standard_D4ads_v5"])),
        "projects": draw(st.sampled_from([["dev", "test"], ["dev"], ["test", "other"], ["dev", "test", "other"]])),
    }


def put(document: Json, drawn: Json) -> None:
    properties = document["properties"]
    properties["maximumConcurrency"] = 2 * drawn["agents"]
    for one in properties["organizationProfile"]["organizations"]:
        one["parallelism"] = drawn["agents"]
        if one["url"].endswith(PRIME):
            one["projects"] = drawn["projects"]
    document["tags"] = drawn["tags"]
    properties["agentProfile"]["maxAgentLifetime"] = drawn["lifetime"]
    properties["agentProfile"]["resourcePredictions"]["daysData"][1] = {"08:00:00": drawn["agents"], "18:00:00": 0}
    properties["fabricProfile"]["images"] = drawn["images"]
    properties["fabricProfile"]["sku"]["name"] = drawn["sku"]


@pytest.mark.soaked
def test_any_drift_is_adopted(tmp_path: Path) -> None:
    runs = count()
    with settled_cloud() as cloud:

        @settings(
            max_examples=tries(4, soaked=8), suppress_health_check=list(HealthCheck), deadline=None, phases=GENERATE
        )
        @given(resources(), st.lists(EDITS, max_size=6))
        def drift(drawn: Json, edits: list[tuple[str, dict[str, Json]]]) -> None:
            cloud.do.reset()
            for name, value in QUICK.items():
                cloud.do.switch(name, value)
            folder = tmp_path / str(next(runs))
            folder.mkdir()
            adopting = Adopting(cloud, folder)
            adopting.resource(lambda document: put(document, drawn))
            gone: set[tuple[str, str]] = set()
            administrators = {"ann"}  # of the list that is exclusive
            for what, arguments in edits:
                place = arguments["organization"], arguments.get("project", "")
                if place not in gone:
                    adopting.by_hand(what, **arguments)
                if what == "delete-queue":
                    gone.add(place)
                if what == "set-role" and place == (PRIME, ""):
                    administrators.discard(arguments["who"])
                    if arguments["role"] == "Administrator":
                        administrators.add(arguments["who"])

            outcome = adopting.adopt()

            if not administrators:  # no spec can say so, and an operator must not write it
                assert [what for what, _ in outcome.left] == [f"administrator {PRIME} ann@fabrikam.com"]
                return
            assert outcome.left == []
            plan = adopting.shop.plan(outcome.spec)
            assert (plan.changes, plan.refusals, plan.gaps, plan.following) == ((), (), (), ()), outcome.after.decode()
            kept = outcome.after.decode().splitlines()
            for line in (
                "# The pool of two teams.",
                f"name: {POOL}   # as in the portal",
                "    # who may do everything",
                "# The end.",
            ):
                assert line in kept
            assert TEXT.splitlines()[:7] == kept[:7]

        drift()
