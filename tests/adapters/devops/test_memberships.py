"""Access levels, groups and the search of the web pages: exact requests, and answers that prove what they say."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.devops.memberships import Memberships, MembershipWrites
from reconciler.adapters.devops.reads import DevOps
from reconciler.adapters.devops.session import Session
from reconciler.errors import Forbidden, NotEffective, ReconcilerError, Rejected, Unavailable
from reconciler.ports.devops import Entitlement, Entry, Group, ServicePrincipal
from tests.adapters.devops.scripted import Reply, Scripted, failure, wrapped

OID = "55c8c7b6-7ace-43bc-918f-304dfa2b6317"
LOCAL = "b34cdbfd-1f2d-60c6-b04a-8a99d301a6cd"
LEVELS = "/prime/_apis/serviceprincipalentitlements"
GRAPH = "/prime/_apis/graph"
LEVEL = {"accountLicenseType": "express", "licensingSource": "account"}


@pytest.fixture
def reads(session: Session) -> Memberships:
    return Memberships(session, session)


@pytest.fixture
def writes(session: Session) -> MembershipWrites:
    return MembershipWrites(session, session)


def result(success: bool = True, origin: str = OID, **more: Any) -> dict[str, Any]:
    made = {"servicePrincipal": {"originId": origin}} if success else None
    return {"isSuccess": success, "errors": [], "servicePrincipalId": LOCAL, "result": made, **more}


def test_a_service_principal_is_added_by_its_object_id(writes: MembershipWrites, service: Scripted) -> None:
    service.reply("POST", LEVELS, {"isSuccess": True, "operationResult": result(origin=OID.upper())})

    writes.add("prime", OID, "express")

    assert service.only.json == {
        "accessLevel": LEVEL,
        "servicePrincipal": {"origin": "aad", "originId": OID, "subjectKind": "servicePrincipal"},
    }
    assert service.only.query == {"api-version": "7.1-preview.1"}


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (result(False, errors=[{"key": 5001, "value": "Not found."}]), Rejected, "rejected: 5001: Not found."),
        (result(False), Rejected, "rejected: without a reason"),
        (result(origin="somebody"), NotEffective, "response is about somebody"),
        (result(result="x"), NotEffective, "response is about no object id"),
        ({"isSuccess": "yes"}, Unavailable, "contains no result"),
        (None, Unavailable, "contains no result"),
    ],
)
def test_a_success_that_is_none_is_told(
    writes: MembershipWrites, service: Scripted, answer: Any, error: type[ReconcilerError], says: str
) -> None:
    """The status is 200 in any case."""
    service.reply("POST", LEVELS, {"operationResult": answer})

    with pytest.raises(error, match=says):
        writes.add("prime", OID, "express")


def test_an_access_level_is_replaced_by_a_json_patch(writes: MembershipWrites, service: Scripted) -> None:
    service.reply("PATCH", f"{LEVELS}/{LOCAL}", {"isSuccess": True, "operationResults": [result()]})

    writes.set_license("prime", LOCAL, "express")

    assert service.only.json == [{"op": "replace", "path": "/accessLevel", "value": LEVEL}]
    assert service.only.headers["content-type"] == "application/json-patch+json"


@pytest.mark.parametrize("answer", [[], "x", [result(False)], [{}]])
def test_a_patch_without_a_result_is_none(writes: MembershipWrites, service: Scripted, answer: Any) -> None:
    service.reply("PATCH", f"{LEVELS}/{LOCAL}", {"operationResults": answer})

    with pytest.raises((Unavailable, Rejected)):
        writes.set_license("prime", LOCAL, "express")


def test_a_group_is_joined_by_descriptors(writes: MembershipWrites, service: Scripted) -> None:
    service.reply("PUT", f"{GRAPH}/memberships/aadsp.robot/vssgp.readers", Reply({"memberDescriptor": "x"}, 201))

    writes.join("prime", "aadsp.robot", "vssgp.readers")

    assert (service.only.method, service.only.body) == ("PUT", b"")


def test_a_write_is_never_sent_twice_by_itself(writes: MembershipWrites, service: Scripted) -> None:
    service.reply("POST", LEVELS, Reply(status=503))

    with pytest.raises(Unavailable):
        writes.add("prime", OID, "express")
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ({"accessLevel": {**LEVEL, "status": "pending"}}, Entitlement("express", "account", "pending")),
        ({"accessLevel": {"accountLicenseType": "none"}}, Entitlement("none", "", "")),
        (Reply(failure("MemberNotFoundException", "no"), 404), None),
        (Reply(b"null"), None),
    ],
)
def test_an_access_level_is_read_by_local_id(reads: Memberships, service: Scripted, reply: Any, found: Any) -> None:
    service.reply("GET", f"{LEVELS}/{LOCAL}", reply)

    assert reads.entitlement("prime", LOCAL) == found


@pytest.mark.parametrize("document", [{}, {"accessLevel": "express"}, {"accessLevel": {}}, []])
def test_an_answer_without_a_level_is_no_answer(reads: Memberships, service: Scripted, document: Any) -> None:
    service.reply("GET", f"{LEVELS}/{LOCAL}", document)

    with pytest.raises(Unavailable, match="contains no access level"):
        reads.entitlement("prime", LOCAL)


def test_who_may_not_read_levels_hears_so(reads: Memberships, service: Scripted) -> None:
    service.reply("GET", f"{LEVELS}/{LOCAL}", Reply(failure("AccessDeniedException", "no"), 403))

    with pytest.raises(Forbidden):
        reads.entitlement("prime", LOCAL)


def test_service_principals_are_listed_to_the_last_page(reads: Memberships, service: Scripted) -> None:
    """The one that is looked for may be on any."""
    other = {"descriptor": "aadsp.other", "originId": LOCAL}
    robot = {"descriptor": "aadsp.robot", "originId": OID.upper(), "applicationId": "A-1", "displayName": "Robot"}
    first = Reply(wrapped(other), headers={"X-MS-ContinuationToken": "2"})
    service.reply("GET", f"{GRAPH}/serviceprincipals", first, wrapped(robot))

    assert reads.service_principals("prime") == [
        ServicePrincipal(LOCAL, "", "", "aadsp.other"),
        ServicePrincipal(OID, "a-1", "Robot", "aadsp.robot"),
    ]


def test_a_local_id_is_asked_for(reads: Memberships, service: Scripted) -> None:
    path = f"{GRAPH}/storagekeys/aadsp.robot"
    service.reply("GET", path, {"value": LOCAL.upper()})
    assert reads.local_id("prime", "aadsp.robot") == LOCAL

    service.reply("GET", path, {"value": "robot"})
    with pytest.raises(Unavailable, match="contains no id"):
        reads.local_id("prime", "aadsp.robot")


def test_groups_of_somebody_are_named_in_portions(reads: Memberships, service: Scripted) -> None:
    """Descriptors are long, and a URL is not."""
    path = "/prime/_apis/identities"
    above = [f"Microsoft.TeamFoundation.Identity;S-1-9-{n}" for n in range(16)]
    named = [
        {"id": f"G{n}", "providerDisplayName": f"[Web]\\{n}", "subjectDescriptor": f"vssgp.{n}"} for n in range(16)
    ]
    me = wrapped({"id": LOCAL, "memberOf": above})
    service.reply("GET", path, me, wrapped(*named[:15]), wrapped(*named[15:]))

    found = reads.groups_of("prime", LOCAL)

    assert found[15] == Group("[Web]\\15", id="g15", descriptor="vssgp.15")
    first, second, third = service.seen
    assert (first.query["identityIds"], first.query["queryMembership"]) == (LOCAL, "expandedUp")
    assert second.query["descriptors"].split(",") == above[:15]
    assert third.query["descriptors"] == above[15]


@pytest.mark.parametrize(
    "answers",
    [
        [wrapped()],
        [wrapped({"id": LOCAL})],
        [wrapped({"id": LOCAL, "memberOf": [{"identifier": "x"}]})],
        [wrapped({"id": LOCAL, "memberOf": ["a", "b"]}), wrapped({"id": "g"})],
    ],
)
def test_a_list_of_groups_that_is_not_whole_is_no_list(
    reads: Memberships, service: Scripted, answers: list[Any]
) -> None:
    """A group that is left out would make a right look missing."""
    service.reply("GET", "/prime/_apis/identities", *answers)

    with pytest.raises(Unavailable):
        reads.groups_of("prime", LOCAL)


def test_the_search_tells_kinds_apart(reads: Memberships, service: Scripted) -> None:
    people = [
        {"originId": OID.upper(), "displayName": "Ann", "entityType": "User"},
        {"originId": None, "displayName": "Nobody", "entityType": "User"},
    ]
    service.reply("POST", "/prime/_apis/IdentityPicker/Identities", {"results": [{"identities": people}]})

    assert reads.search("prime", OID) == [Entry(OID, "Ann", "user")]
    assert service.only.json["operationScopes"] == ["ims", "source"]


def test_a_search_without_results_is_no_empty_one(reads: Memberships, service: Scripted) -> None:
    service.reply("POST", "/prime/_apis/IdentityPicker/Identities", {})

    with pytest.raises(Unavailable, match="contains no list"):
        reads.search("prime", OID)


def test_members_are_read_in_portions_and_only_groups_have_any(service: Scripted, session: Session) -> None:
    """Null for an unknown id, an empty list of a group of Azure DevOps, and one of Entra that proves nothing."""
    ids = [f"{n:08x}-0000-6000-8000-000000000000" for n in range(42)]
    first = [
        {"id": ids[0].upper(), "isContainer": True, "memberIds": [LOCAL.upper()], "subjectDescriptor": "vssgp.a"},
        None,
        {"id": ids[2], "isContainer": True, "memberIds": [], "subjectDescriptor": "vssgp.b"},
        {"id": ids[3], "isContainer": True, "memberIds": [], "subjectDescriptor": "aadgp.c"},
        {"id": ids[4], "subjectDescriptor": "aad.d"},
    ]
    service.reply("GET", "/prime/_apis/identities", wrapped(*first), wrapped())

    found = DevOps(session).members("prime", ids)

    assert found == {ids[0]: (LOCAL,), ids[2]: (), ids[3]: None, ids[4]: None}
    one, two = service.seen
    assert (one.query["queryMembership"], one.query["identityIds"].split(",")) == ("direct", ids[:40])
    assert two.query["identityIds"].split(",") == ids[40:]


@pytest.mark.parametrize("members", [None, "x", [1]])
def test_a_group_without_a_list_of_members_is_no_empty_group(service: Scripted, session: Session, members: Any) -> None:
    service.reply("GET", "/prime/_apis/identities", wrapped({"id": LOCAL, "isContainer": True, "memberIds": members}))

    with pytest.raises(Unavailable, match="contains no list of members"):
        DevOps(session).members("prime", [LOCAL])
