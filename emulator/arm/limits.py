"""Rate limits of ARM: a budget of reads and one of writes for a subscription and caller, reported in every response.

Microsoft Learn, Understand how Azure Resource Manager throttles requests: `x-ms-ratelimit-remaining-subscription-*`
on answers, 429 with Retry-After beyond. The budget refills here in a sliding minute.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.frame import ApiError, Request
from emulator.world import World

WINDOW = 60.0


def charge(world: World, request: Request, *, writes: bool) -> Mapping[str, str]:
    """Book one call; says what is left, or raises ApiError 429."""
    subscription = request.params.get("subscription", "")
    if not subscription:
        return {}
    kind = "writes" if writes else "reads"
    budget = int(world.switches.number(f"arm.budget-{kind}"))
    calls = world.arm.window.setdefault((f"{subscription.lower()}/{request.caller}", kind), [])
    now = world.clock.now()
    calls[:] = [at for at in calls if at > now - WINDOW]
    if len(calls) >= budget:
        wait = max(1, round(calls[0] + WINDOW - now)) if calls else int(WINDOW)
        words = f"The request for subscription '{subscription}' was throttled. Please try again after '{wait}' seconds."
        raise ApiError(429, "SubscriptionRequestsThrottled", words, headers={"Retry-After": str(wait)})
    calls.append(now)
    return {f"x-ms-ratelimit-remaining-subscription-{kind}": str(budget - len(calls))}
