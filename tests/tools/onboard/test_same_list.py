"""One list of requirements: for any state of an organization, what `doctor` misses is what `onboard` plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emulator import Running, start
from tests.examples import tries
from tests.shell import Shell, sign_in
from tests.tools.onboard.fabrikam import estate
from tests.tools.onboard.kit import planned, run

SPEC = """\
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: build
subscription: 11111111-2222-3333-4444-555555555555
resourceGroup: rg-build
mode: enforce
pool:
  location: eastus
  properties:
    maximumConcurrency: 2
    organizationProfile:
      kind: AzureDevOps
      organizations: [{ url: https://dev.azure.com/prime, projects: [], openAccess: true, parallelism: 2 }]
      permissionProfile: { kind: Inherit }
    agentProfile: { kind: Stateless }
    fabricProfile:
      kind: Vmss
      sku: { name: Standard_D2ads_v5 }
      images: [{ wellKnownImageName: ubuntu-24.04 }]
"""
"""It manages something in every facet, so that every row of the list counts."""
HOLDERS = st.sampled_from(["robot", "[prime]\\Robots"])


@dataclass(frozen=True, slots=True)
class Held:
    """What the operator has in one organization."""

    level: str | None
    """None: the organization does not know it."""
    administers: bool
    pools: tuple[str, str] | None
    """Holder and role on all agent pools."""
    groups: dict[str, str]
    """Project → group of it that the operator is in; empty: none."""
    queues: dict[str, tuple[str, str] | None]

    def establish(self, world: Running) -> None:
        """Make the organization so."""
        groups = [{"name": "[prime]\\Robots", "members": ["robot"] if self.level is not None else []}]
        groups += [
            {"name": f"[{project}]\\{name}", "members": ["[prime]\\Robots"]}
            for project, name in self.groups.items()
            if name
        ]
        known = [] if self.level is None else [{"principal": "robot", "license": self.level}]
        state = estate(
            identities=["root", *known],
            administrators=["root", *(["robot"] if self.administers and known else [])],
            groups=groups,
            roles={},
            agentPools=[{"name": "build", "inherit": True, "queues": ["dev"]}],
        )
        world.do.replace(state)
        for project, role in {"": self.pools, **self.queues}.items():
            if role and (known or role[0] != "robot"):
                where = {"project": project} if project else {}
                world.do.edit("set-role", organization="prime", who=role[0], role=role[1], **where)


def _maybe(*roles: str) -> st.SearchStrategy[tuple[str, str] | None]:
    return st.none() | st.tuples(HOLDERS, st.sampled_from(roles))


STATES = st.builds(
    Held,
    level=st.sampled_from([None, "", "stakeholder", "express", "express", "advanced", "earlyAdopter"]),
    administers=st.sampled_from([False, False, False, True]),
    pools=_maybe("Reader", "Administrator"),
    groups=st.fixed_dictionaries({name: st.sampled_from(["", "Readers", "Contributors"]) for name in ("dev", "test")}),
    queues=st.fixed_dictionaries(
        {name: _maybe("Reader", "User", "Creator", "Administrator") for name in ("dev", "test")}
    ),
)


@pytest.fixture
def world() -> Iterator[Running]:
    with start(estate(), switches={"devops.project-visibility": "members"}) as running:
        yield running


@pytest.mark.soaked
@pytest.mark.parametrize("mode", ["report", "enforce"])
def test_what_doctor_misses_is_what_onboard_plans(
    shell: Shell, world: Running, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    sign_in(monkeypatch, world)
    shell.write("specs/build.yaml", SPEC)

    def missing() -> set[tuple[str, str]]:
        monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-robot")
        checks = shell.run("doctor", "--mode", mode, "--output", "json").document["checks"]
        monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-root")
        lacking = [one["requirement"] for one in checks if one["requirement"] and one["verdict"] == "missing"]
        assert "unknown" not in {one["verdict"] for one in checks if one["requirement"]}
        return {(kind, place) for kind, _, place in (one.partition(":") for one in lacking)}

    @settings(
        max_examples=tries(6),
        phases=[Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(STATES)
    def same(held: Held) -> None:
        held.establish(world)
        monkeypatch.setenv("RECONCILER_DEVOPS_TOKEN", "devops-root")
        dry = run(shell, mode=mode)
        grants = planned(dry)
        changes = {(one["kind"], one["subject"]) for one in dry.document["plans"][0]["changes"]}

        assert missing() == {one for one in changes if not _behind(one, changes, held)}
        assert dry.code == (2 if grants else 0)

        applied = run(shell, "--apply", mode=mode)
        assert applied.code == 0, applied.out
        assert missing() == set()
        world.do.reset_log()
        assert run(shell, "--apply", mode=mode).code == 0
        assert world.do.count(writes=True) == 0

    same()


def _behind(one: tuple[str, str], changes: set[tuple[str, str]], held: Held) -> bool:
    """Whether the operator itself cannot evaluate it yet: it is rejected, or the project is hidden from it."""
    kind, subject = one
    rejected = held.level is None and kind != "access level"
    return rejected or (kind == "role on project agent pools" and ("project reader", subject) in changes)
