"""Which adapter stands behind which port, for each way in which a deployment may say it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from reconciler import bootstrap
from reconciler.adapters.azure_storage.account import Storage
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.git.folder import Folder
from reconciler.adapters.git.source import Git
from reconciler.adapters.sqlite.store import Local
from reconciler.config.settings import Settings, SettingsInvalid
from reconciler.errors import Forbidden, NotFound, SpecInvalid
from reconciler.plan.policy import Policy
from tests.cli.process import ROOT, Desk

CONNECTION = "DefaultEndpointsProtocol=https;AccountName=fabrikam;AccountKey=Y2FuYXJ5;EndpointSuffix=core.windows.net"


def settings(desk: Desk, **given: str) -> Settings:
    """Settings of a desk."""
    home = {"XDG_STATE_HOME": str(desk.folder / "state")}
    return Settings.read({**home, **{f"RECONCILER_{name}": value for name, value in given.items()}})


@pytest.mark.parametrize(
    "credential", [{}, {"CREDENTIAL": "managed", "CLIENT_ID": "1"}, {"CREDENTIAL": "pat", "PAT": "canary"}]
)
def test_the_program_is_put_together_without_a_call_and_without_a_sign_in(
    desk: Desk, credential: dict[str, str]
) -> None:
    """A cold start costs money; and whoever only plans should not need what only applying needs."""
    with closing(bootstrap.build(settings(desk, SPECS="specs", **credential))) as app:
        assert isinstance(app.source, Folder)
        assert app.reconciler.planner is app.planner
        assert "canary" not in repr(app)


def test_what_plans_holds_nothing_that_could_write(desk: Desk) -> None:
    """It is another type, and not a flag that somebody may forget."""
    with closing(bootstrap.look(settings(desk, SPECS="specs"))) as look:
        assert {field.name for field in fields(look)} == {
            "source",
            "readers",
            "clock",
            "policy",
            "believe",
            "margin",
            "operators",
            "sign_in",
            "start_sign_in",
            "close",
        }
    assert {field.name for field in fields(look.planner.readers)} == {"arm", "devops", "azure_resources", "parallel"}
    for reader in (look.planner.readers.arm, look.planner.readers.azure_resources):
        assert not [name for name in dir(reader) if name.startswith(("put", "write", "delete"))]
    assert not [
        name for name in dir(look.planner.readers.devops) if name.startswith(("set_", "create", "assign", "remove"))
    ]


@pytest.mark.parametrize(
    ("given", "looks"), [({}, True), ({"PREREQUISITES": "1"}, True), ({"PREREQUISITES": "0"}, False)]
)
def test_a_deployment_may_keep_what_plans_from_looking_around(desk: Desk, given: dict[str, str], looks: bool) -> None:
    with closing(bootstrap.look(settings(desk, SPECS="specs", **given))) as look:
        assert (look.planner.readers.azure_resources is not None) is looks


def test_putting_it_together_imports_no_sdk() -> None:
    """Half a second of imports would be paid by every start, also by one that only prints help."""
    heavy = ("azure", "msrest", "dulwich", "requests")
    parts = "commands, connections, program, specs, stores"
    code = f"from reconciler.bootstrap import {parts}; import sys; print([m for m in {heavy!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_a_ref_reads_git_also_from_a_folder_inside_a_repository(desk: Desk) -> None:
    """People stand in the folder with the specs, and the repository begins somewhere above."""
    path = desk.spec()
    desk.git("init", "--quiet", "--initial-branch=main")
    desk.git("add", ".")
    desk.git("commit", "--quiet", "--message", "pools")
    path.unlink()

    source = bootstrap.source(settings(desk, SPECS=f"{desk.folder}/specs#main", GIT_TOKEN="canary"))

    assert isinstance(source, Git)
    assert list(source.snapshot().files) == ["fabrikam-managed-pool.yaml"]


def test_a_ref_in_a_folder_that_is_no_repository_is_told(desk: Desk) -> None:
    desk.spec()

    with pytest.raises(NotFound):
        bootstrap.source(settings(desk, SPECS=f"{desk.folder}/specs#main")).snapshot()


@pytest.mark.parametrize(
    ("specs", "given", "header", "reason"),
    [
        (
            "https://dev.azure.com/o/p/_git/pools",
            {},
            "Basic OmNhbmFyeQ==",
            "Azure Repos: who we are towards Azure DevOps",
        ),
        (
            "https://dev.azure.com/o/p/_git/pools",
            {"GIT_TOKEN": "t"},
            "Basic eC1hY2Nlc3MtdG9rZW46dA==",
            "a token of its own counts more",
        ),
        ("https://dev.azure.com.evil.example/pools.git", {}, None, "another host, whatever it begins with"),
        ("https://dev.azure.com:8443/pools.git", {}, None, "another port may be another program"),
        ("https://github.com/fabrikam/pools.git", {}, None, "a public repository needs nobody"),
        ("specs", {}, None, "a folder neither"),
    ],
)
def test_a_token_goes_to_the_git_host_that_it_is_for(
    desk: Desk, *, specs: str, given: dict[str, str], header: str | None, reason: str
) -> None:
    chosen = settings(desk, CREDENTIAL="pat", PAT="canary", SPECS=specs, **given)
    found = bootstrap.git_authorization(chosen, specs)

    assert (found() if found else None) == header, reason


def test_specs_have_to_be_named(desk: Desk) -> None:
    with pytest.raises(SpecInvalid, match="RECONCILER_SPECS: not set"):
        bootstrap.source(settings(desk))


def family_of(store: bootstrap.Store) -> object:
    return vars(store)["_family"]


def test_state_is_a_file_where_nothing_else_is_said(desk: Desk) -> None:
    with closing(bootstrap.store(settings(desk), SystemClock())) as store:
        assert isinstance(family_of(store), Local)
        assert store.state.names("pools/") == []


def test_a_folder_for_the_state_that_cannot_be_made_is_told(desk: Desk) -> None:
    (desk.folder / "file").write_text("")

    with pytest.raises(Forbidden, match=r"RECONCILER_STATE: .*file"):
        bootstrap.store(settings(desk, STATE=str(desk.folder / "file" / "state.db")), SystemClock())


@pytest.mark.parametrize("state", ["https://fabrikam.blob.core.windows.net/", CONNECTION])
def test_state_is_a_storage_account_where_one_is_named(desk: Desk, state: str) -> None:
    store = bootstrap.store(settings(desk, STATE=state), SystemClock())

    assert isinstance(family_of(store), Storage)
    assert "Y2FuYXJ5" not in repr(store)


@pytest.mark.parametrize(
    ("state", "error", "reason"),
    [
        ("http://127.0.0.1:1/x", SpecInvalid, "not the URL of blobs, so that of the queues is not known"),
        ("https://fabrikam.example", SettingsInvalid, "not a host of a storage account"),
        ("http://fabrikam.blob.core.windows.net", SettingsInvalid, "a token would travel unencrypted"),
    ],
)
def test_a_storage_account_that_cannot_be_meant_is_refused(
    desk: Desk, state: str, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error):
        bootstrap.store(settings(desk, STATE=state, ALLOW_LOOPBACK="1"), SystemClock())


def test_the_policy_is_the_deployments_file(desk: Desk) -> None:
    path = desk.folder / "policy.yaml"
    path.write_text("maxRoleRemovals: 1\n")

    assert bootstrap.policy(settings(desk)) == Policy()
    assert bootstrap.policy(settings(desk, POLICY=str(path))) == Policy(max_role_removals=1)


def test_a_missing_policy_is_no_policy_at_all(desk: Desk) -> None:
    """Going on without it would be the widest of all policies."""
    with pytest.raises(NotFound, match="without the policy nothing is applied"):
        bootstrap.policy(settings(desk, POLICY=str(Path("missing.yaml"))))


def test_nothing_is_known_before_the_first_run(desk: Desk) -> None:
    assert bootstrap.statuses(settings(desk)) == ()
    assert desk.files() == set()


def test_a_name_that_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'plant'"):
        _ = bootstrap.plant


def test_every_name_of_the_package_leads_to_its_part() -> None:
    for name in bootstrap.__all__:
        assert getattr(bootstrap, name).__module__.startswith("reconciler.bootstrap."), name


def test_the_record_of_writes_is_kept_as_long_as_the_setting_says(desk: Desk) -> None:
    given = settings(desk, STATE=str(desk.folder / "state.db"), RECORD_DAYS="62")
    with closing(bootstrap.store(given, SystemClock())) as kept:
        for month in range(1, 7):
            kept.record.append("devops/fabrikam", [{"kind": "intent", "at": f"2026-{month:02}-10T12:00:00Z"}])
        months = [one["at"][:7] for one in kept.record.entries("devops/fabrikam") if one["kind"] == "intent"]
    assert (months[-1], "2026-03" in months, "2026-02" in months) == ("2026-06", True, False)
    assert isinstance(family_of(kept), Local)
    for days in ("30", "3651", "many"):
        with pytest.raises(SettingsInvalid, match="RECONCILER_RECORD_DAYS"):
            settings(desk, RECORD_DAYS=days)
    storage = bootstrap.store(settings(desk, STATE=CONNECTION, RECORD_DAYS="62"), SystemClock())
    family = family_of(storage)
    assert isinstance(family, Storage)
    with closing(storage):
        assert vars(family.record)["_keep_days"] == 62
