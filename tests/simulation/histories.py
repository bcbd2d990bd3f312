"""Draws the steps of a history from its seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.simulation.intended import FIRST, ORGANIZATIONS, PEOPLE, PROJECTS, Json

FAULTS = (
    "refused", "timeout-before", "timeout-after", "401", "203", "302", "403", "404", "409", "429", "500", "503",
    "truncated", "slow",
)  # fmt: skip
POOLS = (*FIRST, "new-pool")


def history(seed: int, length: int = 9) -> list[Json]:
    """The steps of a seed."""
    random = Random(seed)  # noqa: S311 - a simulation
    drawn: list[Json] = []
    if random.random() < 0.15:
        drawn.append(_windows(random))
    if random.random() < 0.3:
        drawn.append({"do": "scale", "workers": random.choice((3, 4))})
    for _ in range(random.randint(length // 2, length)):
        drawn.append(_step(random))
        if random.random() < 0.5:
            drawn.append({"do": "time", "seconds": random.choice((1, 20, 70, 300, 400, 1000))})
    if random.random() < 0.7:
        drawn.append({"do": "correct"})
    return drawn


def _step(random: Random) -> Json:
    (chosen,) = random.choices(list(_KINDS), weights=list(_KINDS.values()))
    return chosen(random)


def _commit(random: Random) -> Json:
    pool = random.choice((*FIRST, *FIRST, *POOLS))
    if random.random() < 0.1:
        return {"do": "commit", "pool": pool, "gone": True}
    organizations = {"new-pool": ["tailspin"], "test-pool": ["prime", "tailspin"]}.get(pool, ["prime"])
    change: Callable[[], Json] = random.choice(
        (
            lambda: {"concurrency": random.randint(2, 5)},
            lambda: {"open": random.random() < 0.5},
            lambda: {
                "organizations": {one: random.choice(([], ["Web"], ["Api"], ["Web", "Api"])) for one in organizations}
            },
            lambda: {
                "except": [[random.choice(organizations), random.choice(PROJECTS), random.random() < 0.5]]
                if random.random() < 0.7
                else []
            },
            lambda: {
                "administrators": random.sample(PEOPLE, random.randint(0, 2)),
                "exclusive": random.random() < 0.5,
            },
            lambda: {"team": random.choice(("a", "b"))},
            lambda: {"mode": random.choice(("enforce", "enforce", "report", "pause"))},
            lambda: {"broken": random.random() < 0.5},
        )
    )
    return {"do": "commit", "pool": pool, "set": change()}


def _edit(random: Random) -> Json:
    organization = random.choice(list(ORGANIZATIONS.values()))
    pool = random.choice((*FIRST, *FIRST, "Hand made", "new-pool"))
    project, who = random.choice(PROJECTS), random.choice(PEOPLE)
    at = {"organization": organization, "pool": pool}
    return random.choice(
        (
            {"do": "edit", "what": "close-access", "with": {**at, "project": project}},
            {"do": "edit", "what": "open-access", "with": {**at, "project": project}},
            {"do": "edit", "what": "delete-queue", "with": {**at, "project": project}},
            {"do": "edit", "what": "create-queue", "with": {**at, "project": project}},
            {"do": "edit", "what": "set-role", "with": {**at, "who": who, "role": "Administrator"}},
            {"do": "edit", "what": "set-role", "with": {**at, "who": who, "role": "Reader"}},
            {"do": "edit", "what": "remove-role", "with": {**at, "who": who}},
            {"do": "edit", "what": "set-inheritance", "with": {**at, "on": random.random() < 0.7}},
            {"do": "edit", "what": "create-project", "with": {"organization": organization, "name": "New"}},
            {"do": "edit", "what": "delete-project", "with": {"organization": organization, "project": "New"}},
            {"do": "edit", "what": "delete-project", "with": {"organization": organization, "project": project}},
            {"do": "edit", "what": "restore-project", "with": {"organization": organization, "project": project}},
        )
    )


def _portal(random: Random) -> Json:
    change = random.choice(({"maximumConcurrency": random.randint(2, 6)}, {"team": "by hand"}))
    return {"do": "portal", "pool": random.choice(tuple(FIRST)), "change": change}


def _fault(random: Random) -> Json:
    found: Json = {
        "kind": random.choice(FAULTS),
        "count": random.choice((1, 1, 1, 2, 5, 40)),
        "skip": random.choice((0, 0, 1, 3, 7)),
        "seconds": random.choice((1.0, 5.0, 30.0)),
    }
    if random.random() < 0.5:
        found["plane"] = random.choice(("arm", "devops"))
    if random.random() < 0.5:
        found["method"] = random.choice(("GET", "PUT", "PATCH", "POST"))
    return {"do": "fault", "fault": found}


def _amid(random: Random) -> Json:
    inner = []
    for _ in range(random.randint(1, 3)):
        kind = random.choice((_commit, _edit, _edit, _portal, _others, _owner))
        inner.append(kind(random))
    return {"do": "amid", "worker": random.randrange(3), "at": random.choice((1, 2, 4, 8, 12, 20)), "steps": inner}


def _others(random: Random) -> Json:
    """Other workers go on while one is held up."""
    return {"do": random.choice(("time", "time", "idle")), "seconds": random.choice((1, 10, 30, 70, 200, 400))}


def _kill(random: Random) -> Json:
    if random.random() < 0.5:
        return {"do": "kill", "worker": random.randrange(3), "at": random.choice((1, 2, 4, 8, 12, 20))}
    return {"do": "kill", "worker": random.randrange(3), "statement": random.randint(1, 30)}


def _scope(random: Random) -> Json:
    kind = random.choice(("", "organization", "pool", "pool"))
    if not kind:
        return {}
    return {kind: random.choice(tuple(ORGANIZATIONS.values()) if kind == "organization" else POOLS)}


def _owner(random: Random) -> Json:
    """What only the owner of the deployment may do."""
    if random.random() < 0.25:
        return {"do": "approve", "pool": random.choice(POOLS)}
    if random.random() < 0.5:
        return {
            "do": "mode",
            **_scope(random),
            "mode": random.choice(("stop", "report", "approved", "approved", "approved", None, None)),
        }
    scope = _scope(random) or {"pool": random.choice(POOLS)}
    field = random.choice(("", "", "roles", "openAccess", "inheritance")) if "pool" in scope else ""
    return {"do": "hold", **scope, "field": field, "seconds": random.choice((0, 60, 400, 1500, 90_000))}


def _windows(random: Random) -> Json:
    found = []
    for _ in range(random.randint(1, 2)):
        risks = random.choice((["narrows"], ["widens"], ["narrows", "widens"]))
        minutes = random.choice(([20, 50], [5, 20, 35, 50], [10]))
        found.append({"risks": risks, "minutes": minutes, "length": random.choice((3, 8))})
    return {"do": "windows", "windows": found}


def _plane(random: Random) -> Json:
    return {
        "do": "plane",
        "switches": random.choice(
            (
                {"devops.write-lag": random.choice((4.0, 20.0, 0.0))},
                {"devops.open-access-write": random.choice(("lost-once", "applied"))},
                {"arm.update-seconds": random.choice((1.0, 20.0, 300.0))},
                {"arm.events": random.choice(("acceptance", "none", "completion"))},
            )
        ),
    }


_KINDS: dict[Callable[[Random], Json], float] = {
    _commit: 5,
    _edit: 9,
    _portal: 2,
    _fault: 3,
    _amid: 3,
    _kill: 1.5,
    _owner: 3,
    _plane: 1,
    lambda random: {"do": "request", "pool": random.choice(POOLS)}: 1,
    lambda random: {
        "do": "release",
        "worker": random.randrange(3),
        "documents": random.choice(("newer", "older", "older", "")),
    }: 1,
    lambda random: {"do": "start"} if random.random() < 0.8 else {"do": "calm"}: 1.5,
    lambda random: {
        "do": "restart",
        "worker": random.randrange(3),
        **({"documents": random.choice(("newer", "older"))} if random.random() < 0.5 else {}),
    }: 1,
    lambda random: {
        "do": "events",
        "fate": random.choice(("lost", "double", "late", "reorder", "prompt")),
        "seconds": random.choice((60, 400, 2000)),
    }: 1.5,
    lambda random: {
        "do": "feed",
        "feed": random.choice(("lies", "lags", "silent", "honest")),
        "seconds": random.choice((60, 600)),
    }: 1,
    lambda random: {
        "do": "git",
        "state": random.choice(("away", "behind", "back")),
        "commits": random.randint(1, 2),
    }: 1,
    lambda random: {
        "do": "clock",
        "worker": random.choice((None, 0, 1)),
        "skew": random.choice((0, -90, 90, -700, 700, 4)),
    }: 1,
    lambda random: {"do": "pause", "on": random.random() < 0.5}: 0.7,
    lambda random: {"do": "timer", "stopped": random.choice(([], ["sweep"], ["audit"], ["git", "audit"]))}: 0.5,
    lambda random: {"do": "scale", "workers": random.choice((1, 2, 3, 4))}: 0.5,
}
