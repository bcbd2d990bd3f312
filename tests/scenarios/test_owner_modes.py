"""Modes of the owner over both planes: every request of a run is counted by the emulator."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emulator import Running, start
from reconciler import bootstrap
from reconciler.engine import Outcome
from reconciler.engine.events import Applied, Event
from reconciler.safety import ModeScope, WriteMode
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from tests.aspects.shop import settings

FILES = Path(__file__).parents[2] / "reconciler" / "demo" / "files"
ALL = ModeScope()
PRIME = ModeScope(organization="fabrikam-prime")


@pytest.fixture
def cloud() -> Iterator[Running]:
    with start(FILES / "estate.yaml", switches={"arm.update-seconds": 0.1}) as running:
        yield running


class Owned:
    """A deployment with its owner, and the demo's drifted estate."""

    def __init__(self, cloud: Running, folder: Path) -> None:
        shutil.copytree(FILES / "specs", folder / "specs")
        self.cloud = cloud
        self.listen: Callable[[Event], None] = lambda _: None
        chosen = settings(cloud, folder / "state.db", SPECS=str(folder / "specs"))
        self.app = bootstrap.build(chosen, self._told)
        self.app.safety.create()
        self.specs = load(self.app.source.snapshot().files).specs

    def _told(self, event: Event) -> None:
        self.listen(event)

    def set_mode(self, mode: WriteMode | None, scope: ModeScope = ALL) -> None:
        self.app.safety.set_mode(scope, mode, reason="incident 7", by="ann")

    def run(self, spec: Spec) -> Outcome:
        return self.app.reconciler.reconcile(spec, "c0ffee").outcome

    def settle(self) -> set[Outcome]:
        """All pools, until nothing goes on by itself."""
        for _ in range(10):
            found = {self.run(spec) for spec in self.specs}
            if Outcome.PROGRESSING not in found:
                return found
            self.cloud.do.settle()
        raise AssertionError(f"still {found}")

    def writes(self) -> list[str]:
        return [str(one["path"]) for one in self.cloud.do.requests() if one["method"] not in ("GET", "OPTIONS")]


@pytest.fixture
def owned(cloud: Running, tmp_path: Path) -> Iterator[Owned]:
    made = Owned(cloud, tmp_path)
    with closing(made.app):
        yield made


@pytest.mark.parametrize("mode", [WriteMode.STOP, WriteMode.REPORT, WriteMode.APPROVED])
def test_nothing_is_written_on_either_plane_until_the_mode_allows_it(owned: Owned, mode: WriteMode) -> None:
    owned.set_mode(mode)
    assert owned.settle() == {Outcome.OUT_OF_SYNC}
    assert owned.cloud.do.count(writes=True) == 0
    owned.set_mode(WriteMode.ENFORCE)
    owned.settle()
    assert owned.settle() == {Outcome.IN_SYNC}
    owned.cloud.do.reset_log()
    assert owned.settle() == {Outcome.IN_SYNC}
    assert owned.cloud.do.count(writes=True) == 0


def test_a_stop_lets_the_write_under_way_out_and_no_other(owned: Owned) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Applied):
            owned.set_mode(WriteMode.STOP)

    owned.listen = stop
    owned.settle()
    assert owned.cloud.do.count(writes=True) == 1


def test_an_organization_that_is_stopped_gets_no_write(owned: Owned) -> None:
    owned.set_mode(WriteMode.STOP, PRIME)
    owned.settle()
    assert [path for path in owned.writes() if "fabrikam-prime" in path.lower()] == []
    assert [path for path in owned.writes() if "DevOpsInfrastructure" in path] == [], "ARM reaches every organization"
    owned.set_mode(None, PRIME)
    owned.settle()
    assert owned.settle() == {Outcome.IN_SYNC}


def test_drift_is_corrected_to_the_approved_spec_while_another_one_waits(owned: Owned, cloud: Running) -> None:
    (spec,) = [one for one in owned.specs if one.name == "fabrikam-release-pool"]
    text = owned.app.source.snapshot().files[spec.path].decode()
    owned.set_mode(WriteMode.APPROVED)
    owned.app.safety.approve_spec(spec.key, blob=spec.blob, path=spec.path, text=text, by="ann")
    changed = text.replace("  location: eastus\n", "  location: eastus\n  tags: {team: other}\n", 1)
    assert changed != text
    (newer,) = load({spec.path: changed.encode()}).specs

    assert owned.run(newer) is Outcome.OUT_OF_SYNC
    assert owned.cloud.do.count(writes=True) == 1, "the drift of the demo's estate"
    assert [path for path in owned.writes() if "DevOpsInfrastructure" in path] == []
    assert owned.run(spec) is Outcome.IN_SYNC
    cloud.do.reset_log()
    assert owned.run(newer) is Outcome.OUT_OF_SYNC
    assert owned.cloud.do.count(writes=True) == 0


@pytest.mark.parametrize("mode", [WriteMode.STOP, WriteMode.REPORT, WriteMode.APPROVED])
def test_a_spec_that_no_longer_lists_an_organization_with_a_mode_does_not_take_the_pool_from_it(
    owned: Owned, mode: WriteMode
) -> None:
    """ARM would delete its agent pool there: a write that reaches the organization, whatever the new spec lists."""
    owned.settle()
    assert owned.settle() == {Outcome.IN_SYNC}
    (spec,) = [one for one in owned.specs if one.name == "fabrikam-managed-pool"]
    text = owned.app.source.snapshot().files[spec.path].decode()
    head, _, tail = text.partition("        - url: https://dev.azure.com/fabrikam-prime\n")
    changed = (
        head + "      permissionProfile:" + tail.partition("      permissionProfile:")[2].partition("access:\n")[0]
    )
    changed = changed.replace("maximumConcurrency: 4", "maximumConcurrency: 2")
    loaded = load({spec.path: changed.encode()})
    assert [one.name for one in loaded.specs[0].organizations] == ["fabrikam-tailspin"], loaded.problems
    owned.set_mode(mode, PRIME)
    owned.cloud.do.reset_log()

    assert owned.run(loaded.specs[0]) is Outcome.OUT_OF_SYNC
    assert owned.writes() == []
    owned.set_mode(None, PRIME)
    assert owned.run(loaded.specs[0]) is Outcome.PROGRESSING
