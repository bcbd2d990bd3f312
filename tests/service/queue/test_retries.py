"""What failed for now is tried again: once for each cause, and with nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from reconciler.errors import ReconcilerError, Throttled, Unavailable
from reconciler.service.queue.messages import WorkMessage
from tests.contract.families import Settable
from tests.service.queue.hall import Hall, failing, hall


def test_a_follow_up_whose_run_is_throttled_runs_again_and_ends(one: tuple[Hall, Settable]) -> None:
    """The run that failed has read, but ended nothing."""
    place, clock = one
    place.outbox.follow_up("pool-1", 20)
    clock.advance(21)
    place.estate.before = failing("projects", Throttled("fabrikam-prime: fewer calls", retry_after=30))
    place.turn(place.outbox.events)
    assert (place.told[-1].what, place.left) == ("failed", 1)
    assert place.turn(place.outbox.events) == 0

    place.estate.before = failing("nothing", Unavailable(""))
    clock.advance(31)
    place.turn(place.outbox.events)

    assert (place.told[-1].what, place.left) == ("in-sync", 0)


@pytest.mark.parametrize(
    ("error", "failed"), [(Throttled("fewer calls", retry_after=30), 1), (Unavailable("projects: 503"), 3)]
)
@pytest.mark.parametrize("trigger", ["git", "sweep", "follow-up"])
def test_what_fails_all_pools_of_a_message_is_one_later_message_for_them(
    three: tuple[Hall, Settable], error: ReconcilerError, failed: int, trigger: str
) -> None:
    place, clock = three
    queue = place.outbox.sweeps if trigger == "sweep" else place.outbox.events
    due = clock.now() if trigger == "follow-up" else None
    queue.put(WorkMessage(("pool-1", "pool-2", "pool-3"), trigger, due=due).text())
    place.estate.before = failing("projects", error)
    place.turn(queue)
    assert ([report.what for report in place.told], place.left) == (["failed"] * failed, 1)

    place.estate.before = failing("nothing", Unavailable(""))
    clock.advance(60)
    place.turn(queue)

    assert ([report.what for report in place.told[failed:]], place.left) == (["in-sync"] * 3, 0)


def test_a_pool_of_another_organization_does_not_wait_for_one_that_throttles(tmp_path: Path) -> None:
    """The second pool uses both; the others of the message use the first alone."""
    with hall(tmp_path, pools=3) as (place, clock):
        other = "fabrikam-tailspin"
        place.estate.add(other, 3, 2)
        body = yaml.safe_load(place.files.files["pool-1.yaml"])
        properties = body["pool"]["properties"]
        used = properties["organizationProfile"]["organizations"]
        used.append({**used[0], "url": f"https://dev.azure.com/{other}"})
        properties["maximumConcurrency"] = 4
        place.files.files = {**place.files.files, "pool-1.yaml": json.dumps(body).encode()}

        def throttled(call: str, arguments: tuple[object, ...]) -> None:
            if other in arguments:
                raise Throttled(f"{other}: {call}: fewer calls", retry_after=3000)

        place.estate.before = throttled
        place.worker.handle(WorkMessage(("pool-1", "pool-2", "pool-3"), "git"), clock.now())

        assert [(report.key, report.what) for report in place.told] == [
            ("pool-1", "failed"),
            ("pool-2", "in-sync"),
            ("pool-3", "in-sync"),
        ]
        assert place.left == 1
