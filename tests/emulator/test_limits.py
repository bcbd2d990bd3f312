from __future__ import annotations

from tests.emulator.wire import POOLS, Wire

POOL = f"{POOLS}/old-pool"
AGENT_POOLS = "/fabrikam-prime/_apis/distributedtask/pools"


def test_azure_devops_does_not_count_unless_told_to(wire: Wire) -> None:
    wire.do.switch("devops.tstu-budget", 0.0)
    answer = wire.devops("GET", AGENT_POOLS)
    assert "Retry-After" not in answer.headers


def test_beyond_its_budget_an_identity_is_slowed_with_retry_after_on_a_200(wire: Wire) -> None:
    for name, value in (("rate-limit", True), ("tstu-budget", 1.0), ("tstu-per-call", 0.5), ("block-factor", 2.0)):
        wire.do.switch(f"devops.{name}", value)
    answers = [wire.devops("GET", AGENT_POOLS) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert ["Retry-After" in answer.headers for answer in answers] == [False, False, True, True, True]
    slowed = answers[2].headers
    assert (slowed["X-RateLimit-Limit"], slowed["X-RateLimit-Remaining"]) == ("1", "0")
    assert float(slowed["X-RateLimit-Delay"]) <= 30
    assert answers[4].json()["message"].startswith("TF400733")


def test_the_headers_may_come_before_calls_are_slowed(wire: Wire) -> None:
    """Reset is when nothing of the usage is left: five minutes after the last call."""
    for name, value in (
        ("rate-limit", True),
        ("tstu-budget", 4.0),
        ("tstu-per-call", 1.0),
        ("rate-limit-headers-at", 0.5),
    ):
        wire.do.switch(f"devops.{name}", value)
    answers = [wire.devops("GET", AGENT_POOLS) for _ in range(5)]
    assert [answer.headers.get("X-RateLimit-Remaining") for answer in answers] == [None, "2", "1", "0", "0"]
    assert ["Retry-After" in answer.headers for answer in answers] == [False] * 4 + [True]
    assert ["X-RateLimit-Delay" in answer.headers for answer in answers] == [False] * 4 + [True]
    last = [float(answer.headers["X-RateLimit-Reset"]) for answer in answers[1:]]
    wire.do.advance(100)
    later = wire.devops("GET", AGENT_POOLS).headers
    assert 100 <= float(later["X-RateLimit-Reset"]) - last[0] <= 160
    assert float(later["Retry-After"]) == 30


def test_budgets_are_per_organization_and_identity_and_come_back_with_time(wire: Wire) -> None:
    for name, value in (("rate-limit", True), ("tstu-budget", 1.0), ("tstu-per-call", 1.0), ("block-factor", 1.0)):
        wire.do.switch(f"devops.{name}", value)
    assert wire.devops("GET", AGENT_POOLS).status_code == 200
    assert wire.devops("GET", AGENT_POOLS).status_code == 429
    assert wire.devops("GET", AGENT_POOLS, token="devops-ann").status_code == 200
    assert wire.devops("GET", AGENT_POOLS.replace("prime", "second")).status_code == 200
    wire.do.advance(301)
    assert wire.devops("GET", AGENT_POOLS).status_code == 200


def test_arm_tells_what_is_left_and_then_429_until_a_minute_is_over(wire: Wire) -> None:
    wire.do.switch("arm.budget-reads", 2)
    left = [wire.arm("GET", POOL).headers["x-ms-ratelimit-remaining-subscription-reads"] for _ in range(2)]
    assert left == ["1", "0"]
    refused = wire.arm("GET", POOL)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "SubscriptionRequestsThrottled")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    wire.do.advance(61)
    assert wire.arm("GET", POOL).status_code == 200


def test_arm_counts_writes_apart_from_reads(wire: Wire) -> None:
    wire.do.switch("arm.budget-writes", 0)
    assert wire.arm("PATCH", POOL, {"tags": {}}).status_code == 429
    assert wire.arm("GET", POOL).status_code == 200
