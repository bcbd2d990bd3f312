"""What this deployment allows. It comes from the deployment and is never read from the spec repository.

Spec authors are less trusted than the operator: what the policy does not allow is refused, however well-formed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

import yaml

from reconciler.documents.spelling import nearest
from reconciler.errors import SpecInvalid


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits for every pool. None: no limit beyond the spec. See `allows` for the patterns."""

    subscriptions: tuple[str, ...] | None = None
    resource_groups: tuple[str, ...] | None = None
    organizations: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    """``organization/project`` patterns."""
    principals: tuple[str, ...] | None = None
    """Who may be granted anything: patterns over the principal as the spec writes it."""
    open_access: bool = True
    """Whether open access may be granted."""
    create_pools: bool = True
    materialise: bool = False
    """Whether Entra users, groups and service principals may be added to an organization."""
    replace_pools: tuple[str, ...] = ()
    """Names of pools that may be deleted and created again where their spec allows it; none unless named here."""
    arm_api_versions: tuple[str, ...] = ()
    """Newer versions of the ARM document that specs may name; none unless named here."""
    max_role_removals: int = 3
    """Role assignments that one run may remove from one pool."""


def allows(patterns: Sequence[str] | None, name: str) -> bool:
    r"""Whether a name is allowed: no list allows every name, an empty one none.

    A bracket means itself: groups are named ``[scope]\name``, and such a pattern has to match them.
    """
    plain = [] if patterns is None else [pattern.casefold().replace("[", "[[]") for pattern in patterns]
    return patterns is None or any(fnmatchcase(name.casefold(), pattern) for pattern in plain)


# --- the file ------------------------------------------------------------------------------------------------

_NAMES = {
    "subscriptions": "subscriptions",
    "resourceGroups": "resource_groups",
    "organizations": "organizations",
    "projects": "projects",
    "principals": "principals",
    "openAccess": "open_access",
    "createPools": "create_pools",
    "replacePools": "replace_pools",
    "armApiVersions": "arm_api_versions",
    "materialise": "materialise",
    "maxRoleRemovals": "max_role_removals",
}
"""Field of the file → field of `Policy`, in the order of the documentation."""
_LISTS = {field.name for field in fields(Policy) if field.default in (None, ())}
_NOTHING = {field.name for field in fields(Policy) if field.default == ()}
_STRING, _BOOL, _INT, _LIST = ("tag:yaml.org,2002:" + kind for kind in ("str", "bool", "int", "seq"))
_MOST = 1000


def load(text: bytes) -> Policy:
    """A policy from its YAML file. Raises `SpecInvalid` with every problem, each as ``policy:line: what``."""
    found = problems(text)
    if found:
        raise SpecInvalid("; ".join(found))
    return Policy(**{_NAMES[key.value]: _value(value) for key, value in _entries(_compose(text))})


def problems(text: bytes) -> tuple[str, ...]:
    """Everything that is wrong with a policy file, in the order of its lines, one line of text each."""
    try:
        root = _compose(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return (
            f"policy:{mark.line + 1 if mark else 1}: is not YAML: {getattr(error, 'problem', None) or 'unreadable'}",
        )
    except UnicodeDecodeError:
        return ("policy:1: is not UTF-8 text",)
    if root is None:
        return ("policy:1: is empty; write {} for a policy without limits of its own",)
    if not isinstance(root, yaml.MappingNode):
        return (f"policy:{root.start_mark.line + 1}: is not a mapping of {', '.join(_NAMES)}",)
    return tuple(f"policy:{node.start_mark.line + 1}: {message}" for node, message in _problems(root))


def _compose(text: bytes) -> Any:
    return yaml.compose(text.decode("utf-8-sig"), Loader=yaml.SafeLoader)


def _entries(root: Any) -> list[tuple[Any, Any]]:
    return [] if root is None else list(root.value)


def _problems(root: Any) -> Iterator[tuple[Any, str]]:
    seen: set[str] = set()
    for key, value in _entries(root):
        name = str(key.value)
        if name not in _NAMES:
            near = nearest(name, _NAMES)
            yield (
                key,
                f"{name}: unknown field; {f'did you mean {near}?' if near else 'known are ' + ', '.join(_NAMES)}",
            )
            continue
        if name in seen:
            yield key, f"{name}: is given twice"
        seen.add(name)
        wrong = _wrong(_NAMES[name], value)
        if wrong:
            yield value, f"{name}: {wrong}"


def _wrong(name: str, node: Any) -> str:
    if name in _LISTS:
        if not isinstance(node, yaml.SequenceNode) or node.tag != _LIST:
            absent = "nothing" if name in _NOTHING else "everything"
            return f"is not a list of patterns; leave it out where {absent} is allowed"
        blank = [item for item in node.value if item.tag != _STRING or not item.value.strip()]
        return "holds a value that is not text; put it in quotes" if blank else ""
    if name == "max_role_removals":
        whole = node.tag == _INT and node.value.isdecimal() and str(int(node.value)) == node.value
        whole = whole and int(node.value) <= _MOST
        return "" if whole else f"is not a whole number from 0 to {_MOST}"
    return "" if node.tag == _BOOL else "is not true or false"


def _value(node: Any) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return tuple(item.value for item in node.value)
    return int(node.value) if node.tag == _INT else node.value.casefold() in ("true", "yes", "on")
