r"""Which identity a principal is follows from what no other user can choose; several matches are never a guess."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.devops.reads import DevOps
from reconciler.errors import ReconcilerError, Rejected, Throttled, Unavailable
from reconciler.ports.devops import Identity
from tests.adapters.devops.scripted import Reply, Scripted, wrapped

IDENTITIES = "/prime/_apis/identities"
CONNECTION = "/prime/_apis/ConnectionData"
USERS, GROUPS = "/prime/_apis/Graph/users", "/prime/_apis/Graph/groups"
SERVICES = "/prime/_apis/Graph/serviceprincipals"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
OID = "55c8c7b6-7ace-43bc-918f-304dfa2b6317"
LOCAL = "81fa6389-0872-6fdd-a451-7ba7880f566a"
WEB = "56af920d-393b-4236-9a07-24439ccaa85c"
OTHER = "00000000-0000-0000-0000-000000000001"
HOST = "116cce53-b859-4624-9a95-934af41eccef"
PRIME = "b55de4ed-4b5a-4215-a8e4-0a0a5f71e7d8"


def identity(id_: str, kind: str, name: str, properties: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "subjectDescriptor": f"{kind}.{id_}",
        "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;tenant\\{id_}",
        "providerDisplayName": name,
        "isActive": True,
        "properties": {key: {"$type": "System.String", "$value": value} for key, value in properties.items() if value},
        **more,
    }


def person(
    id_: str, account: str, *, mail: str = "", oid: str = "", active: bool = True, kind: str = "aad", **more: Any
) -> dict[str, Any]:
    properties = {"Account": account, "Mail": mail, OBJECT_ID: oid}
    return identity(id_, kind, more.pop("providerDisplayName", f"Person {id_}"), properties, isActive=active, **more)


def group(id_: str, name: str, project: str = "", *, kind: str = "vssgp", **properties: str) -> dict[str, Any]:
    r"""`name`: as shown, ``[scope]\name``."""
    domain = (
        f"vstfs:///Classification/TeamProject/{project}" if project else f"vstfs:///Framework/IdentityDomain/{OTHER}"
    )
    given = {"Account": name.partition("]\\")[2], "Domain": domain, "SchemaClassName": "Group", **properties}
    return identity(id_, kind, name, given, isContainer=True)


def build_service(id_: str, served: str, name: str) -> dict[str, Any]:
    identifier = f"Microsoft.TeamFoundation.ServiceIdentity;{HOST}:Build:{served}"
    return identity(id_, "svc", name, {"Domain": "Build", "Account": served}, descriptor=identifier)


def found(reads: DevOps, principal: str, project: str = "") -> Identity | None:
    answer = reads.identities("prime", {principal: project}).get(principal)
    if isinstance(answer, ReconcilerError):
        raise answer
    return answer


def id_of(reads: DevOps, principal: str, project: str = "") -> str | None:
    one = found(reads, principal, project)
    return None if one is None else one.id


def test_an_address_is_found_by_sign_in_name_in_one_search(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(person("A", "Ann@fabrikam.com", oid=OID.upper())))

    assert found(reads, "ann@fabrikam.com") == Identity("a", "Person A", "Ann@fabrikam.com", "aad.A", OID)
    assert service.only.query == {"searchFilter": "General", "filterValue": "ann@fabrikam.com"}
    assert service.only.version == "7.1-preview.1"


def test_a_mail_address_is_searched_where_no_sign_in_name_fits(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(), wrapped(person("b", "bob_fabrikam#EXT#", mail="bob@fabrikam.com")))

    assert id_of(reads, "bob@fabrikam.com") == "b"
    assert [seen.query["searchFilter"] for seen in service.seen] == ["General", "MailAddress"]


ANN = "ann@fabrikam.com"
PLATFORM = "[prime]\\Platform"
OF_WEB = "[Web]\\Platform"
BUILD = "Web Build Service (prime)"
OF_ALL = "Project Collection Build Service (prime)"

HOSTILE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "display name like an address": (ANN, "", person("m", "m@fabrikam.com", providerDisplayName=ANN)),
    "own display name like an address": (ANN, "", person("m", "m@fabrikam.com", customDisplayName=ANN)),
    "group called like an address": (ANN, "", group("m", f"[prime]\\{ANN}")),
    "group of a project called like an address": (ANN, "", group("m", f"[Web]\\{ANN}", WEB)),
    "group of Azure DevOps with the mail": (ANN, "", group("m", "[prime]\\m", Mail=ANN)),
    "Entra group called like an address": (ANN, "", group("m", f"[TEAM FOUNDATION]\\{ANN}", kind="aadgp")),
    "service identity called like an address": (ANN, "", person("m", ANN, kind="svc")),
    "unknown kind of identity": (ANN, "", person("m", ANN, mail=ANN, kind="zzz")),
    "group that says it is a user": (ANN, "", person("m", ANN, mail=ANN, isContainer=True)),
    "address with a long s": ("sam@fabrikam.com", "", person("m", "\u017fam@fabrikam.com")),
    "address with a Kelvin sign": (ANN, "", person("m", "ann@fabri\u212aam.com")),
    "address in Cyrillic letters": (ANN, "", person("m", "\u0430nn@fabrikam.com", mail="\u0430nn@fabrikam.com")),
    "address with a zero-width space": (ANN, "", person("m", "ann\u200b@fabrikam.com")),
    "address with a space after it": (ANN, "", person("m", f"{ANN} ")),
    "address in fullwidth letters": (ANN, "", person("m", "\uff41nn@fabrikam.com")),
    "guest with the address inside a sign-in name": (
        ANN,
        "",
        person("m", "ann_fabrikam.com#EXT#@evil.example", mail="ann@evil.example"),
    ),
    "address that only begins alike": (ANN, "", person("m", "ann@fabrikam.com.evil.example")),
    "object id as a display name": (OID, "", person("m", "m@fabrikam.com", providerDisplayName=OID)),
    "object id as a sign-in name": (OID, "", person("m", OID)),
    "object id as the name of a group": (OID, "", group("m", f"[prime]\\{OID}")),
    "object id as a property of a group of Azure DevOps": (OID, "", group("m", "[prime]\\m", **{OBJECT_ID: OID})),
    "person called like a group": (PLATFORM, "", person("m", "m@fabrikam.com", providerDisplayName=PLATFORM)),
    "group of a project called like the organization": (PLATFORM, "", group("m", PLATFORM, WEB)),
    "group of the service itself": (PLATFORM, "", group("m", "[TEAM FOUNDATION]\\Platform")),
    "Entra group called like a group": (PLATFORM, "", group("m", PLATFORM, kind="aadgp")),
    "group whose name only looks alike": (PLATFORM, "", group("m", "[prime]\\Pl\u0430tform")),
    "group with its own display name": (
        PLATFORM,
        "",
        {**group("m", "[Web]\\Platform", WEB), "customDisplayName": PLATFORM},
    ),
    "group called with a scope in its name": (PLATFORM, "", group("m", "[Web]\\[prime]\\Platform", WEB)),
    "group without a scope": (PLATFORM, "", group("m", PLATFORM, Domain="Build")),
    "group of the organization for that of a project": (OF_WEB, WEB, group("m", OF_WEB)),
    "group of another project of that name": (OF_WEB, WEB, group("m", OF_WEB, OTHER)),
    "group of a project that the organization lacks": (OF_WEB, "", group("m", OF_WEB, WEB)),
    "person called like a build service": (BUILD, WEB, person("m", "m@fabrikam.com", providerDisplayName=BUILD)),
    "group called like a build service": (BUILD, WEB, group("m", f"[Web]\\{BUILD}", WEB)),
    "build service of another project": (BUILD, WEB, build_service("m", OTHER, BUILD)),
    "person with the identifier of a build service": (
        BUILD,
        WEB,
        person("m", BUILD, descriptor=f"Microsoft.TeamFoundation.ServiceIdentity;{HOST}:Build:{WEB}"),
    ),
    "build service of a project called Project Collection": (OF_ALL, "", build_service("m", OTHER, OF_ALL)),
}
"""What someone could make to be taken for a principal → the principal, the id of its project, and the identity."""


@pytest.mark.parametrize("what", HOSTILE)
def test_what_others_choose_makes_no_one_a_principal(reads: DevOps, service: Scripted, what: str) -> None:
    principal, project, hostile = HOSTILE[what]
    service.reply("GET", IDENTITIES, wrapped(hostile))
    service.reply("GET", CONNECTION, {"instanceId": PRIME, "authenticatedUser": {"id": LOCAL}})
    for path in (USERS, SERVICES):
        service.reply("GET", path, wrapped({"originId": OID, "origin": "vsts", "descriptor": f"vssgp.{what}"}))
    service.reply("GET", GROUPS, wrapped({"originId": OID, "origin": "vsts", "descriptor": "vssgp.m"}))

    assert found(reads, principal, project) is None


WANTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "address in other letter case": ("ANN@Fabrikam.com", "", person("w", ANN)),
    "mail in other letter case": (ANN, "", person("w", "a", mail="Ann@Fabrikam.COM")),
    "guest by the sign-in name": (
        "ann_contoso.com#EXT#@fabrikam.com",
        "",
        person("w", "ann_contoso.com#ext#@fabrikam.com"),
    ),
    "guest by mail": ("ann@contoso.com", "", person("w", "ann_contoso.com#EXT#@fabrikam.com", mail="ann@contoso.com")),
    "user of a Microsoft account": (ANN, "", person("w", ANN, kind="msa")),
    "user who has not signed in": (ANN, "", person("w", ANN, kind="bnd", active=False)),
    "service principal by mail": (ANN, "", person("w", OID, mail=ANN, kind="aadsp")),
    "Entra group by mail": (ANN, "", group("w", "[TEAM FOUNDATION]\\Crew", kind="aadgp", Mail="ANN@fabrikam.com")),
    "Entra group by object id": (OID, "", group("w", "[TEAM FOUNDATION]\\Crew", kind="aadgp", **{OBJECT_ID: OID})),
    "group of the organization": (PLATFORM, "", group("w", "[Prime]\\PLATFORM")),
    "group of a project": (OF_WEB, WEB, group("w", "[Web]\\platform", WEB)),
    "group of a project that is called something else by now": (OF_WEB, WEB, group("w", "[Web 2]\\Platform", WEB)),
    "group of a project called like the organization": (f"[{WEB}]\\Platform", WEB, group("w", PLATFORM, WEB)),
    "group with an address as its name": (f"[prime]\\{ANN}", "", group("w", f"[prime]\\{ANN}")),
    "group in letters that have two cases": ("[prime]\\\u00c9quipe", "", group("w", "[prime]\\\u00e9quipe")),
    "build service of a project": (BUILD, WEB, build_service("w", WEB.upper(), "Old Build Service (prime)")),
    "build service by the id of the project": (f"{WEB} Build Service (Prime)", WEB, build_service("w", WEB, BUILD)),
    "build service of the organization": (
        OF_ALL.lower().replace("build service", "Build Service"),
        "",
        build_service("w", PRIME, OF_ALL),
    ),
}


@pytest.mark.parametrize("what", WANTED)
def test_a_principal_is_found_by_what_no_one_else_can_have(reads: DevOps, service: Scripted, what: str) -> None:
    principal, project, wanted = WANTED[what]
    hostile = [case[2] for case in HOSTILE.values() if case[:2] == (principal, project)]
    service.reply("GET", IDENTITIES, wrapped(*hostile, wanted))
    service.reply("GET", CONNECTION, {"instanceId": PRIME.upper(), "authenticatedUser": {"id": LOCAL}})

    assert id_of(reads, principal, project) == "w"


def test_a_build_service_that_no_search_finds_is_found_in_the_list(reads: DevOps, service: Scripted) -> None:
    """Whether the search knows service identities is not published."""
    mine, other = build_service("w", WEB, "x"), build_service("o", OTHER, BUILD)
    service.reply("GET", IDENTITIES, wrapped(), wrapped(), wrapped(other, None, mine))
    service.reply("GET", USERS, wrapped({"descriptor": "svc.o"}, {"descriptor": "aad.x"}, {"descriptor": "svc.w"}))

    assert id_of(reads, BUILD, WEB) == "w"
    assert service.seen[2].query["subjectTypes"] == "svc"
    assert service.seen[3].query["subjectDescriptors"] == "svc.o,svc.w"


@pytest.mark.parametrize(
    ("principal", "why"),
    [
        ("[TEAM FOUNDATION]\\Builders", "write its mail address or its object id"),
        ("Web Build Service (other)", "belongs to other"),
        ("ann", "is no principal"),
    ],
)
def test_what_cannot_be_meant_here_is_said_without_a_search(
    reads: DevOps, service: Scripted, principal: str, why: str
) -> None:
    with pytest.raises(Rejected, match=why):
        found(reads, principal)
    assert service.seen == []


def test_several_matches_are_rejected_with_their_number(reads: DevOps, service: Scripted) -> None:
    one, two = person("a", ANN), person("b", "x@fabrikam.com", mail=ANN)
    service.reply("GET", IDENTITIES, wrapped(one, two, one))

    with pytest.raises(Rejected, match=r"organization prime: principal ann@fabrikam.com: fits 2 identities"):
        found(reads, ANN)


def test_a_principal_that_cannot_be_told_does_not_hide_the_others(reads: DevOps, service: Scripted) -> None:
    twice = wrapped(person("a", ANN), person("b", ANN))
    service.reply("GET", IDENTITIES, twice, wrapped({"isActive": True}), wrapped(person("c", "cy@fabrikam.com")))

    answers = reads.identities("prime", {ANN: "", "bo@fabrikam.com": "", "cy@fabrikam.com": ""})
    assert isinstance(answers[ANN], Rejected)
    assert isinstance(answers["bo@fabrikam.com"], Unavailable)
    assert answers["cy@fabrikam.com"] == Identity("c", "Person c", "cy@fabrikam.com", "aad.c")


def test_a_service_that_throttles_gets_no_more_searches(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, Reply(wrapped(), status=429, headers={"Retry-After": "120"}))

    with pytest.raises(Throttled):
        reads.identities("prime", {ANN: "", "bo@fabrikam.com": ""})


def test_an_active_identity_wins_over_the_one_it_replaced(reads: DevOps, service: Scripted) -> None:
    old, new = person("old", ANN, active=False), person("new", ANN)
    service.reply("GET", IDENTITIES, wrapped(old, new, None))

    assert id_of(reads, ANN) == "new"


def test_two_inactive_identities_are_two(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(person("a", ANN, active=False), person("b", ANN, active=False)))

    with pytest.raises(Rejected, match="fits 2 identities"):
        found(reads, ANN)


def test_an_object_id_counts_only_as_object_id(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(person("x", OID), person("p", "sp", oid=OID)))

    assert id_of(reads, OID.upper()) == "p"
    assert len(service.seen) == 1


def test_object_ids_that_no_search_knows_are_found_in_the_lists_of_the_graph(reads: DevOps, service: Scripted) -> None:
    """The local id comes from storagekeys: the id inside a descriptor is another one."""
    service.reply("GET", IDENTITIES, wrapped())
    page = Reply(wrapped({"originId": "x", "descriptor": "aadsp.x"}), headers={"X-MS-ContinuationToken": "two"})
    principal = {"originId": OID.upper(), "origin": "aad", "descriptor": "aadsp.p", "displayName": "deploy"}
    service.reply("GET", SERVICES, page, wrapped({**principal, "principalName": "app"}))
    service.reply("GET", GROUPS, wrapped({"originId": OTHER, "origin": "AAD", "descriptor": "aadgp.g"}))
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aadsp.p", {"value": LOCAL.upper()})
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aadgp.g", {"value": OTHER})

    answers = reads.identities("prime", {OID: "", OTHER: ""})
    assert answers[OID] == Identity(LOCAL, "deploy", "app", "aadsp.p", OID)
    assert getattr(answers[OTHER], "id", None) == OTHER
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


def test_whom_the_organization_does_not_know_is_missing(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped(), wrapped(), wrapped(person("a", ANN)))

    assert list(reads.identities("prime", {"nobody@fabrikam.com": "", ANN: ""})) == [ANN]
    assert len(service.seen) == 3


@pytest.mark.parametrize("key", [{}, {"value": ""}, {"value": "no-guid"}])
def test_a_storage_key_that_is_no_id_is_not_used(reads: DevOps, service: Scripted, key: dict[str, Any]) -> None:
    service.reply("GET", IDENTITIES, wrapped())
    service.reply("GET", SERVICES, wrapped({"originId": OID, "origin": "aad", "descriptor": "aadsp.p"}))
    service.reply("GET", "/prime/_apis/Graph/storagekeys/aadsp.p", key)

    with pytest.raises(Unavailable, match="contains no id"):
        found(reads, OID)


def test_lists_of_the_graph_that_never_end_are_an_error(reads: DevOps, service: Scripted) -> None:
    service.reply("GET", IDENTITIES, wrapped())
    service.reply("GET", SERVICES, Reply(wrapped(), headers={"X-MS-ContinuationToken": "same"}))

    with pytest.raises(Unavailable, match="service principals: pagination did not end"):
        found(reads, OID)


@pytest.mark.parametrize("instance", [{}, {"instanceId": ""}, {"instanceId": "prime"}])
def test_an_organization_that_does_not_say_its_id_has_no_build_service(
    reads: DevOps, service: Scripted, instance: dict[str, str]
) -> None:
    service.reply("GET", CONNECTION, {"authenticatedUser": {"id": LOCAL}, **instance})

    with pytest.raises(Unavailable, match="contains no id"):
        found(reads, OF_ALL)


@pytest.mark.parametrize("answer", [{}, {"value": None}, wrapped({"isActive": True, "properties": {}})])
def test_a_search_without_a_list_does_not_mean_that_no_one_is_there(
    reads: DevOps, service: Scripted, answer: dict[str, Any]
) -> None:
    service.reply("GET", IDENTITIES, answer)

    with pytest.raises(Unavailable):
        found(reads, ANN)


def test_names_lead_back_to_an_identity(reads: DevOps, service: Scripted) -> None:
    known = (
        person("a", ANN, mail="a@fabrikam.com", oid=OID, providerDisplayName="bob@fabrikam.com"),
        group("g", OF_WEB, WEB),
        group("o", PLATFORM),
        group("e", "[TEAM FOUNDATION]\\Crew", kind="aadgp", Mail="crew@fabrikam.com", **{OBJECT_ID: OTHER}),
        build_service("s", WEB, BUILD),
        person("p", OID, oid=OID, kind="aadsp"),
    )
    service.reply("GET", IDENTITIES, wrapped(*known, None))

    assert reads.names_of("prime", ["a", "g", "o", "e", "s", "p", "x"]) == {
        "a": (ANN, "a@fabrikam.com", OID),
        "g": (OF_WEB, f"[{WEB}]\\Platform"),
        "o": (PLATFORM,),
        "e": ("crew@fabrikam.com", OTHER),
        "s": (BUILD, f"{WEB} Build Service (prime)"),
        "p": (OID,),
    }


@pytest.mark.parametrize("answer", [{}, wrapped("x"), wrapped({"id": 7})])
def test_names_in_an_answer_without_identities_are_no_names(reads: DevOps, service: Scripted, answer: Any) -> None:
    service.reply("GET", IDENTITIES, answer)

    with pytest.raises(Unavailable):
        reads.names_of("prime", ["a"])
