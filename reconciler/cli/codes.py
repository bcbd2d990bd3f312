"""Exit codes, and what each command means by them; `docs/tools.md` prints this table.

Where several hold, an error hides what is pending, and pending hides done.
"""

from __future__ import annotations

from collections.abc import Mapping

DONE = 0
ERROR = 1
"""Also for every command: invalid usage or settings, and a service that does not respond."""
PENDING = 2
STOPPED = 130

MEANINGS: Mapping[str, Mapping[int, str]] = {
    "validate": {
        DONE: "every spec is valid",
        ERROR: "a spec is invalid, or the specs could not be read",
    },
    "plan": {
        DONE: "in sync",
        PENDING: "out of sync: changes, refused ones included, or something that is not ready yet",
        ERROR: "a spec is invalid, or a fact could not be read",
    },
    "pull-request": {
        DONE: "reported: the change is in sync, or has changes",
        PENDING: "reported: the change asks for something that a guard or the policy refuses",
        ERROR: "a spec is invalid, something could not be read, or the report could not be written",
    },
    "apply": {
        DONE: "in sync, or applied and verified",
        PENDING: "changes are left: an operation is running, the mode is report, or the plan was not confirmed",
        ERROR: "a change failed or was refused, a spec is invalid, or a fact could not be read",
        STOPPED: "stopped at the end of a step",
    },
    "approve": {
        DONE: "recorded, or nothing to approve",
        ERROR: "it cannot be approved, or the safety store cannot be written",
    },
    "status": {
        DONE: "every pool is ready; with --unmanaged: every pool has its spec",
        PENDING: "a pool is not ready; with --unmanaged: a pool without a counterpart",
        ERROR: "a pool is stalled, a spec is invalid, there is no state, or something could not be read",
    },
    "forget": {
        DONE: "the statuses are dropped",
        ERROR: "a spec names a pool, its file has errors, or no status is stored: nothing is dropped",
    },
    "history": {
        DONE: "shown; with verify: every entry is in its place; with seal: sealed; with import: added",
        ERROR: "an entry is edited, missing or not in its place, or the record cannot be read",
    },
    "undo": {
        DONE: "undone and verified",
        PENDING: "something is left: it cannot be undone, is not visible yet, or was not confirmed",
        ERROR: "nothing of the run can be undone, or a write failed or was refused",
        STOPPED: "stopped at the end of a step",
    },
    "adopt": {
        DONE: "the spec says what is observed, or did so already",
        PENDING: "something is not adopted: each with its reason",
        ERROR: "nothing is written: the specs or a fact could not be read, or the branch or file cannot be written",
    },
    "mode": {
        DONE: "shown, or set",
        ERROR: "a setting cannot be read or written",
    },
    "pause": {
        DONE: "shown, or set",
        PENDING: "not confirmed",
        ERROR: "a pause cannot be read or written, or names nothing",
    },
    "resume": {
        DONE: "ended, or nothing was paused",
        PENDING: "not confirmed",
        ERROR: "a pause cannot be read or written, or nothing has the name",
    },
    "operators": {
        DONE: "shown, or cleared",
        ERROR: "none is recorded there, or the record cannot be read or written",
    },
    "schema": {DONE: "printed"},
    "policy": {
        DONE: "written, or valid",
        ERROR: "the file is invalid, a spec is invalid, or a file exists already",
    },
    "notify": {
        DONE: "with test: every receiver accepted; with list: shown; with resend: on their way again",
        ERROR: "with test: a receiver did not accept; there is no such dead letter, or the state cannot be read",
    },
    "serve": {
        DONE: "stopped by a signal, all runs ended",
        ERROR: "a setting or an address cannot be used, or a run did not end in time",
    },
    "explain": {
        DONE: "the pipeline may run on the pool",
        PENDING: "it may not",
        ERROR: "a fact could not be read",
    },
    "import": {
        DONE: "every spec is written and complete, and its plan is empty",
        PENDING: "written, but incomplete: facts not read, parts left out, a plan is not empty, or a file is kept",
        ERROR: "nothing is written",
    },
    "convert": {
        DONE: "every spec is printed and complete",
        PENDING: "printed with --partial: something is left out, and named",
        ERROR: "nothing is printed: something is left out, a spec would be invalid, or a file cannot be read",
    },
    "doctor": {
        DONE: "nothing is missing",
        PENDING: "a permission is missing, or an answer of probe is too old",
        ERROR: "a spec is invalid, or a permission could not be checked",
    },
    "onboard": {
        DONE: "nothing is missing",
        PENDING: "something is missing, or its grant is not visible yet",
        ERROR: "a grant failed, or something could not be read",
        STOPPED: "stopped at the end of a step",
    },
    "probe": {
        DONE: "every organization was probed; with --check: no answer differs",
        PENDING: "with --check: an answer differs",
        ERROR: "an organization could not be probed, or the file is invalid",
    },
    "demo": {
        DONE: "every step did what it should",
        ERROR: "a step did not",
    },
    "play": {
        DONE: "ended by Ctrl-C",
        ERROR: "the emulator or `serve` did not start",
    },
}
"""Command → code → meaning."""


def worst(codes: list[int]) -> int:
    """The code of a run that ended with several."""
    return next((code for code in (STOPPED, ERROR, PENDING) if code in codes), DONE)


def table() -> str:
    """The table of `docs/tools.md`."""
    codes = (DONE, PENDING, ERROR, STOPPED)
    rows = [("command", *map(str, codes)), *[("---",) * (len(codes) + 1)]]
    rows += [(f"`{name}`", *(by_code.get(code, "") for code in codes)) for name, by_code in MEANINGS.items()]
    return "\n".join(f"| {' | '.join(row)} |".replace("  |", " |") for row in rows)
