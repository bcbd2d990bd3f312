"""Nothing of a pool is out of reach: whatever the document allows is imported and converted, and nothing of it is lost."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from emulator import start
from reconciler import bootstrap
from reconciler.tools.convert import ConvertOptions, drafts, pieces
from reconciler.tools.import_ import draft_spec, observe_pools
from reconciler.tools.spec_writer import text
from tests import published
from tests.aspects import drawn
from tests.aspects.shop import POOL, SUBSCRIPTION, parsed
from tests.aspects.shop import settings as shop_settings
from tests.aspects.test_random_round_trip import Estate, estate
from tests.examples import tries

Json = Any
STRATEGIES = drawn.strategies()
LIVE = ("openAccess", "permissionProfile")
"""What ARM does not keep true: an import writes it as Azure DevOps shows it."""


def without_live(resource: Json) -> Json:
    """A copy without them, and without what is empty: nothing is managed by it."""
    if isinstance(resource, list):
        return [without_live(item) for item in resource]
    if not isinstance(resource, dict):
        return resource
    kept = {name: without_live(item) for name, item in resource.items() if name not in LIVE}
    return {name: item for name, item in kept.items() if item not in ({}, [], "") or "/" in name or name == "projects"}


@pytest.mark.soaked
@pytest.mark.parametrize("source", sorted(STRATEGIES))
def test_a_random_pool_is_imported_whole_and_its_plan_is_empty(source: str, tmp_path: Path) -> None:
    """What another tool put, as ARM has it, is in the file."""
    with start(estate()) as cloud:
        here = Estate(cloud, tmp_path)

        @settings(
            max_examples=tries(4, soaked=8),
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
            deadline=None,
        )
        @given(STRATEGIES[source])
        def imported(spec: Json) -> None:
            shop = here.begin({})
            made = parsed(yaml.safe_dump(spec, allow_unicode=True))
            shop.settle(made)
            at = bootstrap.tools(shop_settings(cloud, tmp_path / "none.db", PREREQUISITES="0"))
            (found,) = observe_pools(at.planner.readers, at.planner.readers.arm.pools(SUBSCRIPTION))
            draft = draft_spec(found)

            assert draft.problems == []
            assert shop.plan(parsed(text(draft))).in_sync
            missing = set(published.paths(without_live(made.body))) - set(published.paths(draft.document["pool"]))
            assert {path for path in missing if not path.endswith(".parallelism")} == set()

        imported()


@pytest.mark.soaked
@pytest.mark.parametrize("source", sorted(STRATEGIES))
def test_a_random_pool_is_converted_whole_from_a_template(source: str) -> None:
    """Literals of a template are the spec, to the letter."""

    @settings(max_examples=tries(20, soaked=40), suppress_health_check=list(HealthCheck), deadline=None)
    @given(STRATEGIES[source])
    def converted(spec: Json) -> None:
        resource = {"name": POOL, "type": "Microsoft.DevOpsInfrastructure/pools", "apiVersion": "2026-06-02"}
        template = {"resources": [{**resource, **copy.deepcopy(spec["pool"])}]}
        files = {"deploy.json": json.dumps(template).encode()}
        (draft,) = drafts(pieces(files), ConvertOptions(SUBSCRIPTION, "rg-build"))

        assert draft.problems == []
        assert parsed(text(draft)).body == parsed(yaml.safe_dump(spec, allow_unicode=True)).body

    converted()
