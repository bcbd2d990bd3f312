"""`approve HASH`: what a cap holds back is written after the owner approved the plan that was shown, and not before."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from emulator import Running
from tests.cli.process import Desk

POOL = "fabrikam-managed-pool"


def strict(desk: Desk) -> str:
    """A policy under which no administrator is removed without an approval."""
    (desk.folder / "policy.yaml").write_text("maxRoleRemovals: 0\n")
    return str(Path("policy.yaml"))


def test_a_plan_is_approved_by_the_hash_that_it_prints(online: Desk, cloud: Running) -> None:
    policy = strict(online)
    assert online.run("apply", "--policy", policy).code == 1
    shown = online.run("plan", POOL, "--policy", policy)
    found = re.search(r"^  plan ([0-9a-f]{64})$", shown.out, re.MULTILINE)
    assert found, shown.out
    document = json.loads(online.run("plan", POOL, "--policy", policy, "--output", "json").out)
    assert document["plans"][0]["hash"] == found[1]
    assert "refused: role-removals" in shown.out

    approved = online.run("approve", found[1].upper(), "--policy", policy)

    assert approved.code == 0, approved.err
    assert f"this plan of pool {POOL} is approved for 24 hours" in approved.out + approved.err
    applied = online.run("apply", POOL, "--policy", policy, "--plan-hash", found[1])
    assert applied.code == 0, applied.out + applied.err
    cloud.do.reset_log()
    assert online.run("apply", "--policy", policy).code == 0
    assert cloud.do.count(writes=True) == 0


def test_an_approval_of_another_plan_is_refused_with_what_to_do(online: Desk) -> None:
    ended = online.run("approve", "0" * 64, POOL)

    assert ended.code == 1
    assert f"is not the plan of {POOL} now" in ended.err
    assert "run `mdp-reconciler plan` again" in ended.err


def test_what_is_no_hash_is_said_before_anything_is_read(desk: Desk) -> None:
    for arguments in (["approve", "0123456789abcdef"], ["approve", POOL]):
        ended = desk.run(*arguments)
        assert ended.code != 0
        assert "64 hexadecimal digits" in ended.err
    ended = desk.run("apply", POOL, "--plan-hash", "0123456789abcdef")
    assert ended.code != 0
    assert "is not the hash of a plan" in ended.err
    ended = desk.run("approve", "0" * 64, "--agent-pool", "fabrikam/7")
    assert ended.code != 0
    assert "belongs to the NAME of a pool" in ended.err


def test_the_record_is_checked_and_sealed_after_damage(online: Desk) -> None:
    """A damaged record stops writes; the message says which two commands help."""
    assert online.run("history", "verify").code != 0, "nothing is on record before the first run"
    assert online.run("apply").code == 0
    whole = online.run("history", "verify")
    assert whole.code == 0, whole.err
    assert "devops/fabrikam-prime: " in whole.out
    assert "all in their place" in whole.out
    refused = online.run("history", "seal", "devops/fabrikam-prime", "--reason", "none")
    assert (refused.code, "there is nothing to seal" in refused.err) == (1, True)

    with closing(sqlite3.connect(online.folder / "state.db")) as file:
        sql = "UPDATE record SET entry = replace(CAST(entry AS TEXT), 'verified', 'believed') WHERE chain = ?"
        assert file.execute(sql, ("devops/fabrikam-prime",)).rowcount
        file.commit()
    damaged = online.run("history", "verify")
    assert damaged.code == 1
    assert "devops/fabrikam-prime: entry at position" in damaged.out + damaged.err
    assert "`mdp-reconciler history seal devops/fabrikam-prime --reason …`" in damaged.out + damaged.err

    sealed = online.run("history", "seal", "devops/fabrikam-prime", "--reason", "edited by hand")
    assert sealed.code == 0, sealed.err
    assert online.run("history", "verify").code == 1, "the damage stays visible"
    assert online.run("history", "seal", "devops/fabrikam-prime", "--reason", "again").code == 1
    unknown = online.run("history", "verify", "devops/contoso")
    assert "known are arm/" in unknown.err


def test_a_seal_needs_its_chain_and_its_reason(desk: Desk) -> None:
    ended = desk.run("history", "seal", "devops/fabrikam-prime")

    assert ended.code != 0
    assert "--reason" in ended.err


def test_an_entry_that_was_taken_out_is_found_and_sealed(online: Desk) -> None:
    """Caps over 24 hours would count too little; nothing that they count is written before the owner accepts it."""
    assert online.run("apply").code == 0
    with closing(sqlite3.connect(online.folder / "state.db")) as file:
        sql = "DELETE FROM record WHERE chain = ? AND number = 3"
        assert file.execute(sql, ("devops/fabrikam-prime",)).rowcount
        file.commit()
    damaged = online.run("history", "verify")
    assert damaged.code == 1
    assert "entries between them are missing or replaced" in damaged.out + damaged.err

    assert online.run("history", "seal", "devops/fabrikam-prime", "--reason", "restored from a backup").code == 0
    assert online.run("history", "seal", "devops/fabrikam-prime", "--reason", "again").code == 1
