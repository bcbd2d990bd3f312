"""Rate limits of Azure DevOps: a budget per organization and identity in a sliding window of five minutes.

Microsoft Learn, Azure DevOps rate limits: 200 TSTU; beyond it calls are delayed (up to 30 s) with `Retry-After` and
`X-RateLimit-*` also on a 200, or blocked with 429 and TF400733. The delay is announced here, not slept. All headers but
`X-RateLimit-Delay` may come before calls are delayed; `X-RateLimit-Reset` is when nothing of the usage would be left if
no further call came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from emulator.frame import ApiError, Request
from emulator.world import World

WINDOW = 300.0
LONGEST = 30.0
RESOURCE = "Core"


def charge(world: World, request: Request) -> Mapping[str, str]:
    """Book one call; headers where it is slowed, ApiError 429 where it is blocked."""
    if not world.switches.on("devops.rate-limit"):
        return {}
    key = (request.params.get("organization", "").lower(), request.caller)
    calls = world.spent.setdefault(key, deque())
    now, cost = world.clock.now(), world.switches.number("devops.tstu-per-call")
    while calls and calls[0][0] <= now - WINDOW:
        calls.popleft()
    used, budget = sum(cost for _, cost in calls) + cost, world.switches.number("devops.tstu-budget")
    if used > budget * world.switches.number("devops.block-factor"):
        raise blocked(_headers(calls, used, budget, now))
    calls.append((now, cost))
    if used > budget:
        return _headers(calls, used, budget, now)
    return _rest(calls, used, budget) if used >= budget * world.switches.number("devops.rate-limit-headers-at") else {}


def blocked(headers: Mapping[str, str]) -> ApiError:
    """429 with the words of Azure DevOps."""
    words = (
        f"TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource '{RESOURCE}' "
        "in namespace 'User'. For more information on why your request was blocked, see the topic \"Rate limits\" on "
        "the Microsoft Web site (https://go.microsoft.com/fwlink/?LinkId=823950)."
    )
    return ApiError(429, "RequestBlockedException", words, headers=dict(headers))


def _headers(calls: deque[tuple[float, float]], used: float, budget: float, now: float) -> dict[str, str]:
    over, free_at = used - budget, now
    for at, cost in calls:
        if over <= 0:
            break
        over, free_at = over - cost, at + WINDOW
    delay = max(1.0, min(LONGEST, free_at - now))
    return {"Retry-After": f"{delay:.0f}", "X-RateLimit-Delay": f"{delay:.3f}", **_rest(calls, used, budget)}


def _rest(calls: deque[tuple[float, float]], used: float, budget: float) -> dict[str, str]:
    last = calls[-1][0] if calls else 0.0
    return {
        "X-RateLimit-Resource": RESOURCE,
        "X-RateLimit-Limit": f"{budget:.0f}",
        "X-RateLimit-Remaining": f"{max(0.0, budget - used):.0f}",
        "X-RateLimit-Reset": f"{last + WINDOW:.0f}",
    }
