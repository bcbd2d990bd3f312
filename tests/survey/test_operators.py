"""Who the operator is, and what groups mean: each read once, and only when it is requested."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from reconciler.errors import Unavailable
from reconciler.ports.devops import Group, Identity
from reconciler.survey import SharedSurvey
from reconciler.survey.operators import OperatorNames, People, operators_of
from tests.estate import DevOpsReads, Estate

ORG = "fabrikam-prime"
ME, ANN, ROBOT = Identity("me", "operator"), Identity("ann", "Ann"), Identity("robot", "Robot")


@pytest.mark.parametrize(
    ("given", "recorded", "ids", "named", "unknown"),
    [
        (OperatorNames(), {}, {"me"}, False, ()),
        (OperatorNames(deployed=True), {}, {"me"}, True, ()),
        (OperatorNames(("ann",)), {}, {"ann"}, True, ()),
        (OperatorNames(("ann",), deployed=True), {}, {"ann", "me"}, True, ()),
        (OperatorNames(), {"robot": "Robot"}, {"robot"}, True, ()),
        (OperatorNames(("ann", "gone")), {}, {"ann"}, True, ("gone",)),
        (OperatorNames(("gone",)), {}, set(), True, ("gone",)),
    ],
)
def test_where_operators_are_named(
    given: OperatorNames, recorded: dict[str, str], ids: set[str], named: bool, unknown: tuple[str, ...]
) -> None:
    """A caller stands in only where nothing names any: an unknown name is one."""
    found = operators_of(ME, given, {"ann": ANN}, recorded)

    assert (set(found.ids), found.named, found.unknown, found.caller) == (ids, named, unknown, ME)


@dataclass
class Grouped(DevOpsReads):
    """The estate's reads, with groups of projects and of the organization."""

    estate: Estate
    directory: list[Group] = field(default_factory=list)
    of: list[Group] = field(default_factory=list)

    def groups(self, organization: str) -> list[Group]:
        self.estate.called("groups", organization)
        return self.directory

    def memberships(self, organization: str, identity_id: str) -> list[Group]:
        self.estate.called("memberships", organization, identity_id)
        return self.of


def people(estate: Estate, operators: OperatorNames | None = None) -> People:
    survey = SharedSurvey(estate.readers, {})
    return survey.believing({}, operators).people(ORG)


def test_names_are_resolved_and_the_record_is_read_once() -> None:
    asked: list[str] = []

    def recorded(organization: str) -> dict[str, str]:
        asked.append(organization)
        return {"robot": "Robot"}

    estate = Estate(people={"ann@fabrikam.com": ANN})
    both = people(estate, OperatorNames(("ann@fabrikam.com",), recorded=recorded))

    assert both.operators().ids == both.operators().ids == {"ann", "robot"}
    assert asked == [ORG]


def test_a_record_that_cannot_be_read_is_an_error_and_no_empty_set() -> None:
    def recorded(organization: str) -> dict[str, str]:
        raise Unavailable(f"{organization}: the store did not respond")

    with pytest.raises(Unavailable):
        people(Estate(), OperatorNames(recorded=recorded)).operators()


def test_a_view_for_writing_knows_the_same_operators() -> None:
    survey = SharedSurvey(Estate(people={"ann": ANN}).readers, {}).believing({}, OperatorNames(("ann",)))

    assert survey.fresh().people(ORG).operators().ids == {"ann"}


@pytest.mark.parametrize(
    ("members", "empty"),
    [
        ({"team": ("ann",)}, set()),
        ({"team": ()}, {"team"}),
        ({"team": ("inner",), "inner": ()}, {"team"}),
        ({"team": ("inner", "ann"), "inner": ()}, set()),
        ({"team": ("inner",), "inner": ("team",)}, {"team"}),
        ({"team": tuple(f"g{n}" for n in range(90)), **{f"g{n}": () for n in range(89)}}, set()),
    ],
)
def test_a_group_without_people_is_empty_however_deep(members: dict[str, tuple[str, ...]], empty: set[str]) -> None:
    """A circle of groups ends, and the ninetieth member counts."""
    assert people(Estate(members=members)).without_members(["team", "ann"]) == empty


def test_administrators_of_the_organization_are_known_by_a_group_that_no_project_has() -> None:
    """A person who creates a project may give it the organization's name, and a group of any name in it."""
    genuine = Group(f"[{ORG}]\\Project Collection Administrators", id="pca", descriptor="vssgp.one")
    forged = Group(f"[{ORG}]\\Project Collection Administrators", id="other", descriptor="vssgp.two", project="web")
    for of, found in [([genuine], True), ([forged], False), ([], False), ([forged, genuine], True)]:
        estate = Estate()
        reads = Grouped(estate, [genuine, forged], [Group(one.name, one.id, one.descriptor) for one in of])
        survey = SharedSurvey(type(estate.readers)(estate.readers.arm, reads), {})

        assert survey.people(ORG).administers_collection("me") is found
        assert survey.people(ORG).groups_of("me") == {one.id for one in of}
