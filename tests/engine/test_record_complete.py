"""No kind of write and no writer can be forgotten: every target has a complete entry, and one place sends writes."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.naming import pseudonym, without_names
from reconciler.engine.recorder import Recorder, RunFacts
from reconciler.engine.spec_lines import line_of
from reconciler.plan.model import Change, Detail
from reconciler.plan.targets import (
    Inheritance,
    NewQueue,
    OpenAccess,
    RoleAssignmentChange,
    Target,
    UpdatePool,
    place_of,
)
from reconciler.ports import azure, devops
from reconciler.spec.loader import load
from tests.engine.stage import SPEC, converged
from tests.keeping import START, Ledger
from tests.plan.every_target import POOL, QUEUE, RESOURCE, TARGETS

PACKAGE = Path(__file__).parents[2] / "reconciler"
FIELDS = {
    "id", "at", "run", "pool", "place", "subject", "what", "before", "after", "risk", "commit", "file", "line",
    "trigger", "cause", "plan", "policy", "actor", "details", "trace",
}  # fmt: skip
"""What the entry of each write says."""
WRITERS = (azure.ArmWriter, devops.DevOpsWriter, devops.MembershipWriter)


def change(target: Target, **more: Any) -> Change:
    return Change("facet", "kind", "fabrikam-prime/Web", "old", "new", target, **more)


def recorded(one: Change, *, names: bool = True) -> tuple[Any, Any]:
    """Intent and result of a write, and nothing else."""
    ledger = Ledger()
    facts = RunFacts(SPEC, "c0ffee", "plan", "policy", START, "sweep", "drift", names=names)
    recorder = Recorder(ledger, facts, converged().clock, lambda _: {"name": "eve", "confidence": "by"})
    recorder.intend(one)
    recorder.result(one)
    assert recorder.flush() is None
    intent, result = ledger.all()
    assert recorder.entry(one) == intent["id"] == result["of"]
    return intent, result


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: type(target).__name__)
def test_the_entry_of_each_kind_of_write_says_everything(target: Target) -> None:
    intent, result = recorded(change(target))

    assert set(intent) >= FIELDS
    assert (intent["trigger"], intent["cause"], intent["actor"]["name"]) == ("sweep", "drift", "eve")
    assert intent["run"].startswith("20260601T120000Z-")
    assert intent["place"]["type"]
    place = place_of(target)
    if place is not None:
        assert intent["place"]["organization"] == place.organization
    assert result["outcome"] == "confirmed"


def calls() -> list[tuple[str, ast.Attribute, list[ast.expr]]]:
    """Every call of a method in the package: file, what is called, and arguments."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                found += [(path.relative_to(PACKAGE).as_posix(), node.func, node.args)]
    return found


def test_facets_alone_call_writers_and_the_engine_alone_calls_facets() -> None:
    """So each write passes the place that records it: `engine/steps.py`."""
    methods = {name for port in WRITERS for name in vars(port) if not name.startswith("_")}
    assert len(methods) > 12
    generic = {"put", "delete", "add", "join"}  # queues, sets and texts have these as well

    for path, called, _ in calls():
        if called.attr in methods - generic and not path.startswith("adapters/"):
            assert path.startswith(("facets/", "tools/onboard/")), f"{path} calls {called.attr}"
        if called.attr in generic and ast.unparse(called.value).endswith(("writers.arm", "writers.devops")):
            assert path.startswith("facets/"), f"{path} calls {ast.unparse(called)}"
    senders = {
        path for path, called, args in calls() if called.attr == "apply" and "writers" in ast.dump(ast.List(args))
    }
    assert senders == {"engine/steps.py"}


def test_whoever_holds_a_writer_is_the_engine_or_puts_it_together() -> None:
    holders = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        if "Writers(" in text or "writers: Writers" in text or "Writers," in text:
            holders.add(path.relative_to(PACKAGE).parts[0])
    assert holders <= {"engine", "facets", "bootstrap", "ports", "tools", "cli"}


GRANT = RoleAssignmentChange(POOL, "id-eve", "eve@fabrikam.com", "Administrator", None)


def test_without_names_an_id_stands_for_a_person_in_every_field() -> None:
    one = replace(change(GRANT), subject="fabrikam-prime eve@fabrikam.com")

    named, _ = recorded(one)
    intent, result = recorded(one, names=False)

    assert "eve@fabrikam.com" in str(named)
    assert "eve@fabrikam.com" not in str((intent, result))
    assert intent["subject"] == "fabrikam-prime id-eve"
    assert result["change"] == "facet:kind:fabrikam-prime id-eve"


def test_people_in_an_arm_body_have_the_same_stand_in_everywhere_and_groups_keep_their_names() -> None:
    users = [Detail("organizationProfile.permissionProfile.users", ["Ann@fabrikam.com"], ["ann@fabrikam.com", "b"])]
    intent, _ = recorded(change(UpdatePool(RESOURCE, {}), details=tuple(users)), names=False)

    ann = pseudonym("ann@fabrikam.com")
    assert intent["details"][0]["before"] == [ann]
    assert intent["details"][0]["after"] == [ann, "b"]
    group = RoleAssignmentChange(QUEUE, "id-group", "[Web]\\Build Administrators", None, "User")
    assert without_names(change(group), "fabrikam-prime/Web [Web]\\Build Administrators") == (
        "fabrikam-prime/Web [Web]\\Build Administrators"
    )


TEXT = """\
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: pool-1
subscription: 11111111-2222-3333-4444-555555555555
resourceGroup: rg-build
pool:
  location: eastus
  properties:
    maximumConcurrency: 2
    organizationProfile:
      kind: AzureDevOps
      organizations:
        - url: https://dev.azure.com/fabrikam-prime
          projects: [Web, Api]
          openAccess: true
    agentProfile: { kind: Stateless }
    fabricProfile:
      kind: Vmss
      sku: { name: Standard_D2ads_v5 }
      images: [{ wellKnownImageName: ubuntu-24.04 }]
access:
  openAccess:
    - { project: fabrikam-prime/Api, allow: false, reason: theirs }
  roles:
    - organization: fabrikam-prime
      administrators: [ann@fabrikam.com]
"""


def test_an_entry_names_the_line_of_the_spec_that_is_behind_it() -> None:
    loaded = load({"pools/pool-1.yaml": TEXT.encode()})
    assert not loaded.problems, loaded.problems
    (spec,) = loaded.specs
    lines = TEXT.splitlines()

    def text(one: Change) -> str:
        return lines[line_of(spec, one) - 1].strip()

    assert text(change(OpenAccess(QUEUE, allow=True))) == "openAccess: true"
    api = replace(QUEUE, project="api")
    assert text(change(OpenAccess(api, allow=False))).startswith("- { project: fabrikam-prime/Api")
    assert text(change(GRANT)) == "- organization: fabrikam-prime"
    assert text(change(Inheritance(POOL, on=False))) == "- organization: fabrikam-prime"
    tagged = change(UpdatePool(RESOURCE, {}), details=(Detail("maximumConcurrency", 3, 2),))
    assert text(tagged) == "maximumConcurrency: 2"
    deeper = change(UpdatePool(RESOURCE, {}), details=(Detail("fabricProfile.osProfile.secrets", 3, 2),))
    assert text(deeper) == "fabricProfile:"
    place = next(one for one in TARGETS if isinstance(one, NewQueue))
    assert text(change(place)) == "projects: [Web, Api]"
