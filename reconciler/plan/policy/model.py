"""The policy as a value: limits for each pool, and how patterns match names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, TypeAlias

from reconciler.plan.policy.parts import Cap, Operator, StatePlace, Window

Patterns: TypeAlias = tuple[str, ...] | None
"""None: everything is allowed; empty: nothing is."""

GUEST = "#ext#"
"""In the user principal name of every guest of an Entra tenant (Microsoft Learn: B2B guest user properties)."""

MAXIMUM_ROLE_REMOVALS = 3
_ALL = "|" * 70
"""Stands for every project: no project's name is as long, or may hold this character."""
_UPWARDS = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)")


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What pools may have. The defaults are those without a policy file: no limit beyond the spec."""

    pools: Patterns = None
    """Names of pools."""
    subscriptions: Patterns = None
    resource_groups: Patterns = None
    organizations: Patterns = None
    """Organizations that may be written to, or named in a pool's body."""
    projects: Patterns = None
    """``organization/project``."""
    agent_pools: Patterns = None
    """``organization/name#id``: agent pools that are taken for the pool's own where a proof of that is missing."""
    principals: Patterns = None
    """Who may be granted anything: patterns over the principal as the spec writes it."""
    roles: Patterns = None
    """``organization/Role`` and ``organization/project/Role``, each optionally followed by ``=principal``."""
    open_access: Patterns = None
    """``organization/project`` where open access may be granted."""
    pipelines: Patterns = None
    r"""``organization/project/\folder\pipeline`` or ``organization/project/id``."""
    inheritance: Patterns = None
    """Organizations in which the agent pool may inherit roles."""
    identities: Patterns = None
    """Resource ids, client ids, and the word ``SystemAssigned``."""
    subnets: Patterns = None
    """Resource ids, and the word ``none`` for the network that the service isolates."""
    images: Patterns = None
    """Resource ids, and names of images that the service knows."""
    certificates: Patterns = None
    """Secret URLs."""
    skus: Patterns = None
    logon_types: Patterns = None
    provisioning_scripts: Patterns = None
    """Resource id of the storage account, then ``/`` and the entry point."""
    max_concurrency: int | None = None
    """Most machines of one pool; None: no limit."""
    create_pools: bool = True
    replace_pools: tuple[str, ...] = ()
    """Names of pools that may be deleted and created again where their spec allows it; none unless named here."""
    arm_api_versions: tuple[str, ...] = ()
    """Newer versions of the ARM document that specs may name; none unless named here."""
    materialise: bool = False
    """Whether Entra users, groups and service principals may be added to an organization."""
    max_role_removals: int = MAXIMUM_ROLE_REMOVALS
    """Role assignments that one run may remove from one pool."""


NOTHING = {
    **{one.name: () for one in fields(PoolLimits) if one.default is None or one.default == ()},
    "max_concurrency": 0,
    "create_pools": False,
    "materialise": False,
    "max_role_removals": MAXIMUM_ROLE_REMOVALS,
}
"""The limits that a policy/v2 has where it says nothing."""


@dataclass(frozen=True, slots=True)
class Allow:
    """One entry of `allow` in a policy/v2 file: what the pools that it names may have."""

    given: Mapping[str, Any]
    """Field of `PoolLimits` → value, of those that the entry has."""
    line: int = field(default=0, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)
    """Field of `PoolLimits` → line of the file."""

    def names(self, pool: str) -> bool:
        """Whether the entry is about the pool."""
        return matches(self.given.get("pools", ()), pool)


@dataclass(frozen=True, slots=True)
class Policy(PoolLimits):
    """What the deployment allows. `for_pool` gives the limits of one pool; guards get nothing else."""

    version: int = 1
    """2: what is not named is denied."""
    caps: tuple[Cap, ...] = ()
    operators: tuple[Operator, ...] = ()
    """The deployment's identities; empty: the policy names none."""
    windows: tuple[Window, ...] = ()
    state: StatePlace | None = None
    """Where the deployment's state is; None: the policy does not say."""
    allow: tuple[Allow, ...] = ()
    """Entries of a policy/v2 file. The fields above deny everything there, until `for_pool` has been called."""
    from_file: bool = field(default=False, compare=False)
    """Whether the deployment has a policy file."""
    resolved: bool = field(default=False, compare=False)
    """Whether the fields above are those of one pool."""
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False)
    """Field of `PoolLimits` → lines of the file that decide it."""
    unnamed: tuple[int, ...] = field(default=(), compare=False)
    """Lines of the entries that are about the pool; a field without a line is named by none of them."""

    def for_pool(self, name: str) -> Policy:
        """The limits of one pool: what any entry that names it allows. Without entries these limits themselves."""
        if self.version == 1 or self.resolved:
            return self
        return self._united([one for one in self.allow if one.names(name)])

    @property
    def anywhere(self) -> Policy:
        """What is allowed for at least one pool."""
        return self if self.version == 1 or self.resolved else self._united(self.allow)

    def _united(self, entries: Sequence[Allow]) -> Policy:
        found: dict[str, Any] = dict(NOTHING)
        lines: dict[str, tuple[int, ...]] = {}
        for name, nothing in NOTHING.items():
            values = [one.given[name] for one in entries if name in one.given]
            if values:
                found[name] = _union(nothing, values)
            lines[name] = tuple(one.lines[name] for one in entries if name in one.lines)
        about = tuple(one.line for one in entries)
        if not entries:
            lines["pools"] = tuple(self.lines.get("allow", ()))
        return replace(self, resolved=True, lines=lines, unnamed=about, **found)

    def where(self, name: str) -> str:
        """`` (policy:7)``: the lines that decide a field, for the end of a refusal; empty without a file."""
        if found := self.lines.get(name):
            return f" ({', '.join(f'policy:{line}' for line in found)})"
        if not self.unnamed:
            return ""
        at = ", ".join(f"policy:{line}" for line in self.unnamed)
        return f" ({at} does not name it)"

    def without_replacement(self) -> Policy:
        """The same policy, by which no pool is deleted."""
        entries = tuple(
            replace(one, given={key: value for key, value in one.given.items() if key != "replace_pools"})
            for one in self.allow
        )
        return replace(self, replace_pools=(), allow=entries)

    @property
    def digest(self) -> str:
        """SHA-256 over what the policy means: equal for files that differ in comments, order of fields and lines."""
        text = json.dumps(_plain(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _union(nothing: Any, values: Sequence[Any]) -> Any:
    if isinstance(nothing, tuple):
        return tuple(dict.fromkeys(pattern for patterns in values for pattern in patterns))
    return max(values)


_UNHASHED = frozenset({"line", "lines", "unnamed", "resolved", "from_file"})


def _plain(value: Any) -> Any:
    """A value of JSON; patterns and entries are sets, so their order does not count."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return sorted((_plain(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    if hasattr(type(value), "__dataclass_fields__"):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value) if one.name not in _UNHASHED}
    return value if isinstance(value, int | str | None) else str(value)


# --- how patterns match --------------------------------------------------------------------------------------


def allows(patterns: Sequence[str] | None, name: str) -> bool:
    r"""Whether a name is allowed: no list allows every name, an empty one none.

    ``*`` stands for any text and ``?`` for one character. A bracket means itself: groups are named ``[scope]\name``,
    and such a pattern has to match them. A path that goes up (``..``) matches only a pattern that does the same.
    """
    return patterns is None or matches(patterns, name)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether any of the patterns matches the name; see `allows`."""
    wanted, upwards = folded(name), _UPWARDS.search(name) is not None
    return any(fnmatchcase(wanted, _glob(pattern)) for pattern in patterns if not upwards or _UPWARDS.search(pattern))


def allows_project(patterns: Sequence[str] | None, organization: str, project: str) -> bool:
    """Whether ``organization/project`` is allowed; the project ``*`` stands for all, also for those of tomorrow."""
    return allows(patterns, f"{organization}/{_ALL if project == '*' else project}")


def allows_principal(patterns: Sequence[str] | None, principal: str, *, version: int) -> bool:
    """Whether a principal is allowed. From policy/v2 on a guest matches only patterns that name guests (``#EXT#``)."""
    if patterns is None or version == 1 or GUEST not in folded(principal):
        return allows(patterns, principal)
    return matches([one for one in patterns if GUEST in folded(one)], principal)


def allows_role(patterns: Sequence[str] | None, place: str, role: str, principal: str) -> bool:
    """Whether a role may be granted on ``organization`` (its agent pool) or ``organization/project`` (the queue there).

    A pattern may end in ``=principal``; without that it is about everyone.
    """
    if patterns is None:
        return True
    for pattern in patterns:
        left, _, who = pattern.partition("=")
        if matches([left], f"{place}/{role}") and (not who or matches([who], principal)):
            return True
    return False


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The text for a comparison that ignores the case of letters as Azure does: one character at a time.

    `str.casefold` goes further: for it ``straße`` is ``strasse`` and the Kelvin sign is a ``k``, and in Azure DevOps
    those are two projects.
    """
    if text.isascii():
        return text.lower()
    return "".join(low if (low := one.lower()).upper() == one else one for one in text)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> str:
    return folded(pattern.rstrip("/")).replace("[", "[[]")
