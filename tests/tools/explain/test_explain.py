"""`explain` over HTTP: each step of the way, the first that is missing, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from emulator import Running
from reconciler.errors import NotFound, SpecInvalid
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.tools.explain import parse_question
from reconciler.tools.explain.answer import spec_says
from tests.shell import DEMO, ROOT, Shell, with_alias

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def spec(path: str = f"specs/{POOL}.yaml", more: str = "") -> Spec:
    loaded = load({"spec.yaml": (DEMO / path).read_bytes() + more.encode()})
    assert loaded.problems == ()
    return loaded.specs[0]


def states(document: Any) -> dict[str, str]:
    return {step["name"]: step["state"] for step in document["steps"]}


def test_the_story_of_a_closed_queue_that_is_opened(signed_in: Shell, world: Running) -> None:
    """A pipeline waits for permission; this is what a person on call reads."""
    closed = signed_in.run("explain", POOL, "Web")

    assert closed.code == 2, closed.err
    lines = closed.out.splitlines()
    assert lines[0] == f"fabrikam-tailspin/Web on {POOL}: may not run; first missing: authorization"
    assert lines[5].startswith("  - authorization  open access is off; no pipeline is authorized")
    assert "[Web]\\Project Administrators (inherited)" in lines[6]
    assert "  openAccess of fabrikam-tailspin is on" in lines
    assert "  + open access fabrikam-tailspin/Web: none → all pipelines" in lines
    assert not any("fabrikam-prime" in line for line in lines), "another organization is another question"

    world.do.edit("open-access", organization="fabrikam-tailspin", pool=POOL, project="Web")
    opened = signed_in.run("explain", POOL, "fabrikam-tailspin/web")

    assert opened.code == 0
    assert opened.out.splitlines()[0].endswith("every pipeline may run")
    assert "open access: all pipelines of the project may use it; opened by" in opened.out


def test_a_project_without_a_queue_lacks_the_queue(signed_in: Shell) -> None:
    document = signed_in.run("explain", POOL, "Data", "--output", "json").document

    assert document["may"] is False
    assert document["firstMissing"] == "queue"
    assert [change["kind"] for change in document["changes"]] == ["pool", "queue", "administrator", "open access"]
    assert document["changes"][-1]["awaits"] == "its queue exists"
    assert document["gaps"] == [], "what is awaited is a change"
    assert "after its queue exists" in signed_in.run("explain", POOL, "Data").out


def test_machines_that_would_not_start_are_told_of_every_project(signed_in: Shell) -> None:
    """A subnet that does not exist keeps every pipeline waiting, whatever Azure DevOps allows."""
    subnet = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-build/providers/Microsoft.Network"
    subnet = f"{subnet}/virtualNetworks/hub/subnets/agents"
    text = (DEMO / "specs" / f"{RELEASE}.yaml").read_text()
    network = f"      kind: Vmss\n      networkProfile: {{ subnetId: {subnet} }}\n"
    signed_in.write(f"specs/{RELEASE}.yaml", text.replace("      kind: Vmss\n", network))

    gaps = signed_in.run("explain", RELEASE, "fabrikam-release", "--output", "json").document["gaps"]

    assert [gap["facet"] for gap in gaps] == ["prerequisites"]
    assert "(there is no such subnet)" in gaps[0]["message"]


def test_a_single_pipeline_has_an_authorization_of_its_own(signed_in: Shell, world: Running) -> None:
    """The others of the project still wait; each may be named by id, path or name."""
    prime = {"organization": "fabrikam-prime"}
    for name in ("nightly", "hourly"):
        world.do.edit("create-pipeline", **prime, project="fabrikam-release", name=name, path="\\release")
    world.do.edit("close-access", **prime, pool=RELEASE, project="fabrikam-release")
    world.do.edit("authorize-pipeline", **prime, pool=RELEASE, project="fabrikam-release", pipeline=1)

    by_path = signed_in.run("explain", RELEASE, "fabrikam-release", "\\release\\nightly")
    by_name = signed_in.run("explain", RELEASE, "fabrikam-release", "NIGHTLY")
    by_id = signed_in.run("explain", RELEASE, "fabrikam-release", "2")
    unknown = signed_in.run("explain", RELEASE, "fabrikam-release", "weekly")
    anyone = signed_in.run("explain", RELEASE, "fabrikam-release")

    assert (by_path.code, by_name.code, by_id.code, unknown.code, anyone.code) == (0, 0, 2, 2, 2)
    assert "pipeline 1 \\release\\nightly is authorized by itself" in by_path.out
    assert "only these pipelines may use it: 1 \\release\\nightly" in by_id.out
    assert "weekly is no pipeline that the operator can see there" in unknown.out
    assert anyone.out.splitlines()[0].endswith("may not run; first missing: authorization")


def test_a_name_that_two_pipelines_have_is_not_guessed(signed_in: Shell, world: Running) -> None:
    prime = {"organization": "fabrikam-prime"}
    for path in ("\\a", "\\b"):
        world.do.edit("create-pipeline", **prime, project="fabrikam-release", name="nightly", path=path)
    world.do.edit("close-access", **prime, pool=RELEASE, project="fabrikam-release")

    ended = signed_in.run("explain", RELEASE, "fabrikam-release", "nightly")

    assert ended.code == 2
    assert "nightly fits 1 \\a\\nightly, 2 \\b\\nightly; give the id" in ended.out


def test_what_cannot_be_read_is_not_called_missing(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="pipelinepermissions.get", count=None)

    ended = signed_in.run("explain", POOL, "Web", "--output", "json")

    assert ended.code == 1
    assert ended.document["may"] is None
    assert states(ended.document)["authorization"] == "unknown"


def test_without_arm_the_other_plane_is_still_read(signed_in: Shell, world: Running) -> None:
    """A person on call who may read Azure DevOps alone: what is missing there is missing, whatever ARM says."""
    world.do.fault("403", route="Pools_Get", count=None)
    left_out = signed_in.run("explain", POOL, "Web")
    signed_in.write(f"specs/{POOL}.yaml", with_alias((DEMO / "specs" / f"{POOL}.yaml").read_text(), POOL))

    closed = signed_in.run("explain", POOL, "Web")
    unsure = signed_in.run("explain", POOL, "Mobile")

    assert closed.out.splitlines()[0].endswith("may not run; first missing: authorization")
    assert closed.out.splitlines()[1].startswith("  ? ARM resource   pool fabrikam-managed-pool: ARM answered 403")
    assert (closed.code, unsure.code) == (2, 1)
    assert unsure.out.splitlines()[0].endswith("unknown whether it may run; ARM resource could not be read")
    assert left_out.code == 1, "without an alias ARM alone says which agent pool it is"
    assert "unknown whether it may run; ARM resource could not be read" in left_out.out
    assert unsure.out.splitlines()[-1] == f"  find out which right is missing: mdp-reconciler doctor {POOL}"


ADD = "add fabrikam-dev to the projects of fabrikam-prime in fabrikam-release-pool.yaml"


@pytest.mark.parametrize(
    ("asked_for", "change", "advice"),
    [
        ((RELEASE, "fabrikam-dev"), "", (ADD,)),
        ((POOL, "Data"), "", ()),
        ((POOL, "Data"), "mode: report\n", (f"set mode: enforce in {POOL}.yaml, or do by hand what the operator shows",)),
        (
            (POOL, "Data"),
            "  withoutQueue:\n    - { project: fabrikam-tailspin/Data, reason: later }\n",
            (f"remove fabrikam-tailspin/Data from access.withoutQueue in {POOL}.yaml",),
        ),
        (
            (POOL, "Data"),
            "mode: pause\nuntil: 2999-12-31\nreason: move\n",
            (f"the pool is paused until 2999-12-31: end it in {POOL}.yaml, or do it by hand",),
        ),
        ((POOL, "Nowhere"), "", (f"find out which right is missing: mdp-reconciler doctor {POOL}",)),
        ((POOL, "Web", "weekly"), "", ()),
    ],
)  # fmt: skip
def test_what_the_operator_will_not_do_is_advised(
    signed_in: Shell, asked_for: tuple[str, ...], change: str, advice: tuple[str, ...]
) -> None:
    """The page names the word and the file; and nothing is advised that happens by itself."""
    signed_in.write(f"specs/{POOL}.yaml", (DEMO / "specs" / f"{POOL}.yaml").read_text() + change)

    assert tuple(signed_in.run("explain", *asked_for, "--output", "json").document["advice"]) == advice


def test_the_narrowest_way_in_is_advised_first(signed_in: Shell, world: Running) -> None:
    world.do.edit("close-access", organization="fabrikam-prime", pool=RELEASE, project="fabrikam-release")

    ended = signed_in.run("explain", RELEASE, "fabrikam-release")

    assert ended.out.splitlines()[-2:] == [
        "to let it run:",
        (
            f"  allow it in {RELEASE}.yaml: the pipeline under access.pipelines, or for all pipelines "
            "{ project: fabrikam-prime/fabrikam-release, allow: true, reason: … } under access.openAccess"
        ),
    ]


def test_an_agent_pool_that_is_hidden_is_asked_about_and_not_waited_for(signed_in: Shell, world: Running) -> None:
    """The pool has other changes, and none of them would bring it back."""
    world.do.edit("hide-pool", organization="fabrikam-tailspin", pool=POOL)

    lines = signed_in.run("explain", POOL, "Web").out.splitlines()

    assert lines[-1] == f"  find out which right is missing: mdp-reconciler doctor {POOL}"
    assert len([line for line in lines if line.startswith("  ? ")]) == 1, "four facets say the same once"


def test_a_queue_that_cannot_be_read_is_not_called_missing(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="queues.list", count=None)

    assert states(signed_in.run("explain", POOL, "Web", "--output", "json").document)["queue"] == "unknown"


def test_who_administers_cannot_change_that_it_runs(signed_in: Shell, world: Running) -> None:
    world.do.fault("403", route="roleassignments.list", count=None)

    ended = signed_in.run("explain", POOL, "Mobile", "--output", "json")

    assert ended.code == 0
    assert (ended.document["may"], ended.document["firstMissing"]) == (True, "roles")


def test_a_pool_that_does_not_exist_ends_the_way_at_once(signed_in: Shell) -> None:
    text = (DEMO / "specs" / f"{RELEASE}.yaml").read_text().replace(RELEASE, "fabrikam-new-pool")
    signed_in.write("specs/new.yaml", text)

    document = signed_in.run("explain", "fabrikam-new-pool", "fabrikam-release", "--output", "json").document

    assert states(document) == {"ARM resource": "missing"}


def test_an_organization_that_arm_does_not_list_is_the_first_edge(signed_in: Shell) -> None:
    text = (DEMO / "specs" / f"{RELEASE}.yaml").read_text().replace("fabrikam-prime", "fabrikam-tailspin")
    signed_in.write(f"specs/{RELEASE}.yaml", text)

    ended = signed_in.run("explain", RELEASE, "fabrikam-release", "--output", "markdown")

    assert ended.code == 2
    assert "- ARM resource   does not list the organization fabrikam-tailspin" in ended.out
    assert ended.out.startswith("```\n")


def test_a_project_that_arm_does_not_list_is_doubtful_and_not_denied(signed_in: Shell) -> None:
    document = signed_in.run("explain", RELEASE, "fabrikam-perf", "--output", "json").document

    assert states(document)["ARM resource"] == "doubtful"
    assert document["firstMissing"] == "queue"


def test_a_hidden_project_and_a_hidden_pool_are_named(signed_in: Shell, world: Running) -> None:
    world.do.edit("hide-project", organization="fabrikam-tailspin", project="Web")
    assert (
        "fabrikam-tailspin/Web does not exist, or the operator may not see it"
        in signed_in.run("explain", POOL, "Web").out
    )

    world.do.edit("hide-pool", organization="fabrikam-tailspin", pool=POOL)
    assert states(signed_in.run("explain", POOL, "Web", "--output", "json").document)["agent pool"] == "missing"


def test_refusals_are_told_with_their_reason(signed_in: Shell) -> None:
    signed_in.write("policy.yaml", "openAccess: false\n")

    ended = signed_in.run("explain", POOL, "Web", "--policy", "policy.yaml")

    assert "! refuses open access fabrikam-tailspin/Web" in ended.out


def test_a_paused_pool_is_explained_with_what_differs(signed_in: Shell) -> None:
    text = (DEMO / "specs" / f"{POOL}.yaml").read_text()
    signed_in.write(f"specs/{POOL}.yaml", f"{text}mode: pause\nuntil: 2999-12-31\nreason: move\n")

    ended = signed_in.run("explain", POOL, "Web")

    assert (
        "  mode is pause until 2999-12-31, so differences are shown and nothing is written: move"
        in ended.out.splitlines()
    )
    assert "has nothing to do here" not in ended.out


def test_what_was_renamed_since_the_last_run_is_the_same_thing(signed_in: Shell, world: Running) -> None:
    """`plan` and `explain` know the ids of the last run, and give the edit to make; nothing is called missing."""
    prime = {"organization": "fabrikam-prime"}
    assert signed_in.run("apply").code == 0
    world.do.edit("rename-project", **prime, project="fabrikam-dev", to="fabrikam-development")
    world.do.edit("rename-pool", **prime, pool=RELEASE, to="release-machines")

    plan = signed_in.run("plan")
    project = signed_in.run("explain", POOL, "fabrikam-dev")
    pool = signed_in.run("explain", RELEASE, "fabrikam-release")

    assert "is called fabrikam-development now; write fabrikam-development in place of fabrikam-dev" in plan.out
    assert "or write alias: release-machines for fabrikam-prime" in plan.out
    assert project.code == 0
    assert "; called fabrikam-development now, recognised by its id" in project.out
    assert "write fabrikam-development in place of fabrikam-dev" in project.out.splitlines()[-1]
    assert "+ agent pool     release-machines in fabrikam-prime, id 2; renamed, recognised by its id" in pool.out


def test_a_state_that_cannot_be_read_is_no_reason_not_to_look(signed_in: Shell) -> None:
    """The one thing that is lost is said."""
    signed_in.write("state.db", "not a database\n" * 100)

    ended = signed_in.run("plan", POOL)

    assert ended.code == 2
    assert "the state cannot be read, so renamed projects appear as missing: " in ended.err


def test_exceptions_are_told_with_their_end_and_reason() -> None:
    """An exception that ended is why a queue closed last night."""
    more = (
        "  openAccess:\n"
        "    - { project: fabrikam-prime/fabrikam-dev, allow: false, until: 2026-12-31, reason: load test }\n"
        "    - { project: fabrikam-prime/fabrikam-test, allow: false, until: 2026-11-21, reason: audit }\n"
        "  pipelines:\n"
        "    - { project: fabrikam-prime/fabrikam-dev, pipelines: [7], exclusive: true }\n"
        "mode: report\n"
    )
    told = spec_says(parse_question(spec(more=more), "fabrikam-dev"), NOON)
    ended = spec_says(parse_question(spec(more=more), "fabrikam-test"), NOON)

    assert told == (
        "fabrikam-prime/fabrikam-dev uses the pool",
        "open access is off by an exception until 2026-12-31 (load test)",
        "openAccess of fabrikam-prime is on; the exception counts before it",
        "pipelines authorized individually and no others: 7",
        "administrators of the agent pool and no others: ann@fabrikam.com",
        "mode is report, so differences are shown and nothing is written",
    )
    assert "the exception off ended on 2026-11-21 (audit)" in ended


@pytest.mark.parametrize(
    ("project", "error", "said"),
    [
        ("fabrikam-prim/Web", NotFound, "did you mean fabrikam-prime?"),
        ("xx/Web", NotFound, "it has fabrikam-tailspin, fabrikam-prime"),
        ("fabrikam-prime/", SpecInvalid, "names no project"),
    ],
)
def test_what_is_not_meant_is_said_in_one_line(project: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as told:
        parse_question(spec(), project)

    assert "\n" not in str(told.value)


def test_a_project_of_several_organizations_has_to_be_named_with_one() -> None:
    text = (DEMO / "specs" / f"{POOL}.yaml").read_text().replace("[fabrikam-dev, fabrikam-test]", "[]")
    (both,) = load({"spec.yaml": text.encode()}).specs

    with pytest.raises(SpecInvalid, match="write fabrikam-tailspin/Web or fabrikam-prime/Web"):
        parse_question(both, "Web")


def test_a_pool_for_github_has_nothing_to_explain() -> None:
    (github,) = load({"spec.yaml": (ROOT / "examples" / "specs" / "fabrikam-github.yaml").read_bytes()}).specs

    with pytest.raises(SpecInvalid, match="is for GitHub"):
        parse_question(github, "Web")


def test_where_the_spec_names_no_projects_arms_are_explained(signed_in: Shell, world: Running) -> None:
    """ARM's list decides, as in a run; without ARM the answer says that nothing is known of it."""
    text = (DEMO / "specs" / f"{POOL}.yaml").read_text()
    signed_in.write(f"specs/{POOL}.yaml", text.replace("          projects: [fabrikam-dev, fabrikam-test]\n", ""))

    listed = signed_in.run("explain", POOL, "fabrikam-prime/fabrikam-dev")
    other = signed_in.run("explain", POOL, "fabrikam-prime/fabrikam-release")
    world.do.fault("403", route="Pools_Get", count=None)
    blind = signed_in.run("explain", POOL, "fabrikam-prime/fabrikam-dev")

    assert "  fabrikam-prime/fabrikam-dev uses the pool" in listed.out.splitlines()
    assert "is not among the projects that use the pool: fabrikam-dev" in other.out
    assert blind.code == 1
    assert "the spec names no projects of fabrikam-prime: those that ARM has count, and they were not read" in blind.out
