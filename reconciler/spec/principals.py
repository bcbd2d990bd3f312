r"""Principals as specs write them: which kind of identity is meant, and in which scope.

======================  ================================  =================================================
form                    example                           what it finds
======================  ================================  =================================================
address                 ``ann@fabrikam.com``              users and service principals, Entra groups by mail
group of Azure DevOps   ``[scope]\name``                  the group of this name in this scope alone
build service           ``Web Build Service (fabrikam)``  the service's own identity for jobs of a project
object id               a GUID                            anything in Entra
======================  ================================  =================================================

A scope is the organization, a project by name, or a project by id; a name that the organization has as well is always
the organization. ``Project Collection Build Service (fabrikam)`` is the identity for jobs of the whole organization.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from reconciler.errors import Rejected
from reconciler.spec.forms import GUID

_ADDRESS = re.compile(r"[^@\s\\\[\]<>,;]+@[^@\s\\\[\]<>,;]+\.[^@\s\\\[\]<>,;]+")
_OBJECT_ID = re.compile(GUID)
_GROUP = re.compile(r"\[(?P<scope>[^\[\]\\]+)\]\\(?P<name>[^\\]+)")
_BUILD_SERVICE = re.compile(r"(?P<project>[^\[\]\\]+) Build Service \((?P<organization>[^()\\]+)\)")
_COLLECTION = "project collection"
_ENTRA = "team foundation"
"""The scope under which the service shows Entra groups, whose names are not unique in a directory."""
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Categories of characters that no reader of a spec sees."""


@dataclass(frozen=True, slots=True)
class Address:
    """A sign-in name or a mail address."""

    text: str


@dataclass(frozen=True, slots=True)
class ObjectId:
    """An object id in Entra."""

    text: str
    """Lower case."""


@dataclass(frozen=True, slots=True)
class LocalGroup:
    """A group of Azure DevOps."""

    name: str
    project: str = ""
    """Name or id of the project that it belongs to; empty for a group of the organization."""


@dataclass(frozen=True, slots=True)
class BuildService:
    """The identity that jobs run as."""

    project: str = ""
    """Name or id of the project; empty for the one of the whole organization."""


Principal: TypeAlias = Address | ObjectId | LocalGroup | BuildService


def folded(text: str) -> str:
    """The text as names are compared: letters in both cases are equal, and nothing else is.

    `str.casefold` makes more texts equal: the Kelvin sign and k, the long s and s. A person may choose such a name.
    """
    if text.isascii():
        return text.lower()
    return "".join(lower if (lower := one.lower()).upper() == one else one for one in text)


def principal_in(text: str, organization: str) -> Principal:
    """The principal that a spec means in this organization; `Rejected` where it can mean none there."""
    if _OBJECT_ID.fullmatch(text):
        return ObjectId(text.lower())
    if group := _GROUP.fullmatch(text):
        return _group(text, group["scope"], group["name"], organization)
    if service := _BUILD_SERVICE.fullmatch(text):
        if folded(service["organization"]) != folded(organization):
            raise Rejected(f"{organization} {text}: this build service belongs to {service['organization']}")
        project = service["project"]
        return BuildService("" if folded(project) == _COLLECTION else project)
    if _ADDRESS.fullmatch(text):
        return Address(text)
    raise Rejected(f"{organization} {text}: is no principal that Azure DevOps knows")


def _group(text: str, scope: str, name: str, organization: str) -> LocalGroup:
    if folded(scope) == folded(organization):
        return LocalGroup(name)
    if folded(scope) == _ENTRA:
        raise Rejected(
            f"{organization} {text}: is an Entra group, and every user of the directory may give another group this "
            "name; write its mail address or its object id"
        )
    return LocalGroup(name, scope)


@lru_cache(maxsize=1024)
def scope_of(text: str, organization: str) -> str:
    """The project whose group or build service this is, by name or id as written; empty where there is none."""
    try:
        found = principal_in(text, organization)
    except Rejected:
        return ""
    return found.project if isinstance(found, LocalGroup | BuildService) else ""


def is_id(project: str) -> bool:
    """Whether a scope is written as the project's id."""
    return _OBJECT_ID.fullmatch(project) is not None


def in_devops_alone(text: str) -> bool:
    """Whether Azure DevOps itself holds the principal, so that no directory can make it known to an organization."""
    return _GROUP.fullmatch(text) is not None or _BUILD_SERVICE.fullmatch(text) is not None


def account_problem(text: str) -> str | None:
    """What is wrong with an address or an object id, as the end of a sentence; None where nothing is."""
    if _OBJECT_ID.fullmatch(text):
        return None
    if not _ADDRESS.fullmatch(text):
        return "write an address or an Entra object id"
    strange = next((one for one in text if not one.isascii()), None)
    if strange is not None or (strange := _unseen(text)) is not None:
        return f"an address has ASCII characters only, and U+{ord(strange):04X} {_name(strange)} is none"
    return None


def principal_problem(text: str) -> str | None:
    """What is wrong with a principal of `access`, as the end of a sentence; None where nothing is."""
    if _GROUP.fullmatch(text) or _BUILD_SERVICE.fullmatch(text):
        unseen = _unseen(text)
        return None if unseen is None else f"U+{ord(unseen):04X} {_name(unseen)} in it cannot be seen; remove it"
    problem = account_problem(text)
    if problem and not _ADDRESS.fullmatch(text):
        return (
            r"write an address, '[scope]\group' in single quotes, 'PROJECT Build Service (ORGANIZATION)', "
            "or an Entra object id"
        )
    return problem


def is_local_group(text: str) -> bool:
    """Whether it has the form of a group of Azure DevOps."""
    return _GROUP.fullmatch(text) is not None


def _unseen(text: str) -> str | None:
    return next((one for one in text if unicodedata.category(one) in _UNSEEN), None)


def _name(one: str) -> str:
    return unicodedata.name(one, "(without a name)")
