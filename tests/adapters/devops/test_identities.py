r"""A principal is whom a property says that nobody can choose for himself; several of them are never a guess."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.devops.reads import DevOps
from reconciler.errors import Rejected, Unavailable
from reconciler.ports.devops import Identity
from tests.adapters.devops.scripted import Reply, Scripted, wrapped

IDENTITIES = "/prime/_apis/identities"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
OID = "55c8c7b6-7ace-43bc-918f-304dfa2b6317"
LOCAL = "81fa6389-0872-6fdd-a451-7ba7880f566a"


def person(
    id_: str, account: str, *, mail: str = "", oid: str = "", active: bool = True, **more: Any
) -> dict[str, Any]:
    properties = {"Account": account, "Mail": mail, OBJECT_ID: oid}
    return {
        "id": id_,
        "subjectDescriptor": f"aad.{id_}",
        "providerDisplayName": f"Person {id_}",
        "isActive": active,
        "properties": {
            name: {"$type": "System.String", "$value": value} for name, value in properties.items() if value
        },
        **more,
    }


def group(id_: str, name: str) -> dict[str, Any]:
    return person(id_, name.partition("\\")[2], providerDisplayName=name, isContainer=True)


def test_an_address_is_found_by_sign_in_name_in_one_search(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(person("A", "Ann@fabrikam.com", oid=OID.upper())))

    assert reads.identities("prime", ["ann@fabrikam.com"]) == {
        "ann@fabrikam.com": Identity("a", "Person A", "Ann@fabrikam.com", "aad.A", OID)
    }
    assert service.only.query == {"searchFilter": "General", "filterValue": "ann@fabrikam.com"}
    assert service.only.version == "7.1-preview.1"


def test_a_mail_address_is_searched_where_no_sign_in_name_fits(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(), wrapped(person("b", "bob_fabrikam#EXT#", mail="bob@fabrikam.com")))

    assert reads.identities("prime", ["bob@fabrikam.com"])["bob@fabrikam.com"].id == "b"
    assert [seen.query["searchFilter"] for seen in service.seen] == ["General", "MailAddress"]


def test_a_display_name_that_looks_like_an_address_is_nobody(reads: DevOps, service: Scripted) -> None:
    """Everybody chooses his own display name, and General searches it too."""
    mallory = person("m", "mallory@fabrikam.com", providerDisplayName="ann@fabrikam.com")
    service.reply("GET", IDENTITIES, wrapped(mallory))

    assert reads.identities("prime", ["ann@fabrikam.com"]) == {}


def test_a_person_named_like_a_group_is_not_the_group(reads: DevOps, service: Scripted) -> None:
    name = "[prime]\\Platform"
    service.reply("GET", IDENTITIES, wrapped(person("m", "m@fabrikam.com", providerDisplayName=name)))

    assert reads.identities("prime", [name]) == {}


def test_a_group_is_found_by_its_full_name(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(group("g", "[Web]\\Platform"), group("h", "[prime]\\PLATFORM")))

    found = reads.identities("prime", ["[prime]\\Platform"])
    assert found["[prime]\\Platform"] == Identity("h", "[prime]\\PLATFORM", "[prime]\\PLATFORM", "aad.h")
    assert service.only.query == {"searchFilter": "LocalGroupName", "filterValue": "[prime]\\Platform"}


def test_a_group_of_the_directory_is_found_by_the_general_search(reads: DevOps, service: Scripted) -> None:
    name = "[TEAM FOUNDATION]\\Builders"
    service.reply("GET", IDENTITIES, wrapped(), wrapped(group("e", name)))

    assert reads.identities("prime", [name])[name].id == "e"
    assert [seen.query["searchFilter"] for seen in service.seen] == ["LocalGroupName", "General"]


def test_several_matches_are_rejected_with_their_number(reads: DevOps, service: Scripted) -> None:
    one, two = person("a", "ann@fabrikam.com"), person("b", "x@fabrikam.com", mail="ann@fabrikam.com")
    service.reply("GET", IDENTITIES, wrapped(one, two))

    with pytest.raises(Rejected, match=r"organization prime: principal ann@fabrikam.com: fits 2 identities"):
        reads.identities("prime", ["ann@fabrikam.com"])


def test_an_active_identity_wins_over_the_one_it_replaced(reads: DevOps, service: Scripted) -> None:
    old, new = person("old", "ann@fabrikam.com", active=False), person("new", "ann@fabrikam.com")
    service.reply("GET", IDENTITIES, wrapped(old, new, None))

    assert reads.identities("prime", ["ann@fabrikam.com"])["ann@fabrikam.com"].id == "new"


def test_an_identity_without_licence_counts_where_it_is_the_only_one(reads: DevOps, service: Scripted) -> None:
    """So is everybody who was just made known to the organization."""
    service.reply("GET", IDENTITIES, wrapped(person("a", "ann@fabrikam.com", active=False)))

    assert reads.identities("prime", ["ann@fabrikam.com"])["ann@fabrikam.com"].id == "a"


def test_an_object_id_counts_only_as_object_id(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(person("x", OID), person("p", "sp", oid=OID)))

    assert reads.identities("prime", [OID.upper()])[OID.upper()].id == "p"
    assert len(service.seen) == 1


def test_object_ids_that_no_search_knows_are_found_in_the_lists_of_the_graph(reads: DevOps, service: Scripted) -> None:
    """The local id comes from storagekeys: the id inside a descriptor is another one."""
    other = "00000000-0000-0000-0000-000000000001"
    service.reply("GET", IDENTITIES, wrapped())
    page = Reply(wrapped({"originId": "x", "descriptor": "aadsp.x"}), headers={"X-MS-ContinuationToken": "two"})
    principal = {"originId": OID.upper(), "descriptor": "aadsp.p", "displayName": "deploy", "principalName": "app"}
    service.reply("GET", "/prime/_apis/Graph/serviceprincipals", page, wrapped(principal))
    service.reply("GET", "/prime/_apis/Graph/groups", wrapped({"originId": other, "descriptor": "aadgp.g"}))
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aadsp.p", {"value": LOCAL.upper()})
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aadgp.g", {"value": other})

    found = reads.identities("prime", [OID, other])
    assert found[OID] == Identity(LOCAL, "deploy", "app", "aadsp.p", OID)
    assert found[other].id == other
    paths = [seen.path.rpartition("/")[2] for seen in service.seen]
    assert paths == [
        "identities",
        "identities",
        "serviceprincipals",
        "serviceprincipals",
        "aadsp.p",
        "groups",
        "aadgp.g",
    ]
    assert service.seen[3].query == {"continuationToken": "two", "api-version": "7.1-preview.1"}


def test_whom_nobody_knows_is_missing_and_does_not_hide_the_others(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(), wrapped(), wrapped(person("a", "ann@fabrikam.com")))

    found = reads.identities("prime", ["nobody@fabrikam.com", "ann@fabrikam.com", "ann@fabrikam.com"])
    assert list(found) == ["ann@fabrikam.com"]
    assert len(service.seen) == 3


@pytest.mark.parametrize("key", [{}, {"value": ""}, {"value": "no-guid"}])
def test_a_storage_key_that_is_no_id_is_not_used(reads: DevOps, service: Scripted, key: dict[str, Any]) -> None:
    service.reply("GET", IDENTITIES, wrapped())
    service.reply("GET", "/prime/_apis/Graph/serviceprincipals", wrapped({"originId": OID, "descriptor": "aadsp.p"}))
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aadsp.p", key)

    with pytest.raises(Unavailable, match="contains no id"):
        reads.identities("prime", [OID])


def test_lists_of_the_graph_that_never_end_are_an_error(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped())
    service.reply(
        "GET", "/prime/_apis/Graph/serviceprincipals", Reply(wrapped(), headers={"X-MS-ContinuationToken": "same"})
    )

    with pytest.raises(Unavailable, match="service principals: pagination did not end"):
        reads.identities("prime", [OID])


@pytest.mark.parametrize("answer", [{}, {"value": None}, wrapped({"isActive": True, "properties": {}})])
def test_a_search_without_a_list_does_not_mean_that_nobody_is_there(
    reads: DevOps, service: Scripted, answer: dict[str, Any]
) -> None:
    service.reply("GET", IDENTITIES, answer)

    with pytest.raises(Unavailable):
        reads.identities("prime", ["ann@fabrikam.com"])
