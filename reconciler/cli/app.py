"""The table of commands: what `--help` lists, and which function each command is.

A command's module is imported when that command runs. `--help`, shell completion of names and a misspelt name
therefore need this table alone.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from reconciler.cli.program import ENV_FILE, PROGRAM, EnvFile, Version

ABOUT = """Keeps Azure Managed DevOps Pools and their Azure DevOps permissions in sync with a Git repository.

Exit codes: 0 in sync, done or valid; 2 out of sync, or changes not yet applied; 1 an error, of usage too; 130 Ctrl-C.
"""
_HELP: dict[str, Any] = {"help_option_names": ["--help", "-h"]}


class CommandRow(NamedTuple):
    """One command of the table."""

    function: str
    """`module:name`."""
    summary: str
    """What the list of commands says: the first sentence of the function's docstring."""
    examples: tuple[str, ...]
    """Arguments of calls that its own help shows."""


COMMANDS = {
    "validate": CommandRow(
        "reconciler.cli.validate:validate",
        "Check the specs and list every problem and warning, one line each.",
        (
            "validate --specs specs/",
            "validate --specs https://github.com/fabrikam/pools.git#main:specs --output json",
        ),
    ),
    "plan": CommandRow(
        "reconciler.cli.plan:plan",
        "Show what would be changed, over which API, and what it does to people.",
        (
            "plan --specs specs/",
            "plan fabrikam-managed-pool --ref main",
            "plan --changed-since main",
            "plan --output markdown > plan.md",
        ),
    ),
    "pull-request": CommandRow(
        "reconciler.cli.pull_request:pull_request",
        "Plan the pools that a pull request changes, and report on it: comment, commit status, annotations.",
        (
            "pull-request --specs specs/ --changed-since HEAD^   (in a pipeline, at the merge of the pull request)",
            "pull-request --repository https://github.com/fabrikam/pools --number 7 --commit 3b6f…",
        ),
    ),
    "apply": CommandRow(
        "reconciler.cli.apply:apply",
        "Bring both planes in sync with the specs, wait for Azure, and read again.",
        (
            "apply --specs specs/",
            "apply fabrikam-managed-pool --plan-hash 0f3a…   (this plan or none)",
            "apply --policy policy.yaml --timeout 3600",
        ),
    ),
    "approve": CommandRow(
        "reconciler.cli.approve:approve",
        "Record an approval of a plan",
        (
            "approve 3b6f…   (the hash that `plan` prints)",
            "approve fabrikam-managed-pool --agent-pool fabrikam-prime/42",
        ),
    ),
    "history": CommandRow(
        "reconciler.cli.history:history",
        "Show what was written, by whom it was caused and why; check the record, or add to it.",
        (
            "history",
            "history fabrikam-managed-pool --since 2w --project fabrikam-tailspin/Web",
            "history show 20261129T004800Z-0f3a5b7c9d1e",
            "history import onboarding.record",
            "history verify",
            "history verify devops/fabrikam-prime",
            "history seal devops/fabrikam-prime --reason 'restored from a backup'",
        ),
    ),
    "undo": CommandRow(
        "reconciler.cli.undo:undo",
        "Put back what a run changed, as far as that is possible, and hold it so until the spec agrees.",
        (
            "undo 20261129T004800Z-0f3a5b7c9d1e --dry-run",
            "undo 20261129T004800Z-0f3a5b7c9d1e 2 3 --yes",
        ),
    ),
    "adopt": CommandRow(
        "reconciler.cli.adopt:adopt",
        "Write what is observed into the spec of a pool, as a patch, a branch or a pull request.",
        (
            "adopt fabrikam-managed-pool > adopt.patch",
            "adopt fabrikam-managed-pool maximumConcurrency 'open_access:open access:fabrikam-tailspin/Web' --write",
            "adopt fabrikam-managed-pool --pull-request",
        ),
    ),
    "status": CommandRow(
        "reconciler.cli.status:status",
        "Show what the last runs found, and since when it is so.",
        (
            "status",
            "status fabrikam-managed-pool --output json",
            "status --unmanaged --specs specs/",
        ),
    ),
    "forget": CommandRow(
        "reconciler.cli.forget:forget",
        "Drop the stored status of pools that no spec names any more.",
        ("forget fabrikam-managed-pool",),
    ),
    "mode": CommandRow(
        "reconciler.cli.mode:mode",
        "Show how far writing goes, or set it for the deployment, an organization or a pool.",
        (
            "mode",
            "mode set stop --reason 'incident 4711'",
            "mode set report --organization fabrikam-prime --reason 'moving house'",
            "mode clear --organization fabrikam-prime --reason 'moved'",
        ),
    ),
    "pause": CommandRow(
        "reconciler.cli.pause:pause",
        "Show what is paused, or pause pools, an organization, or fields of pools until a moment.",
        (
            "pause",
            "pause fabrikam-managed-pool --until 4h --reason 'incident 4711'",
            "pause fabrikam-managed-pool --field roles --until 2026-12-05 --reason 'audit'",
            "pause --organization fabrikam-prime --until 2026-12-05T18:00:00Z --reason 'moving house'",
            "pause --match 'fabrikam-*' --until P1D --reason 'change freeze'",
        ),
    ),
    "resume": CommandRow(
        "reconciler.cli.pause:resume",
        "End pauses of pools, of an organization, or of fields of pools.",
        (
            "resume fabrikam-managed-pool",
            "resume --organization fabrikam-prime",
            "resume --match 'fabrikam-*'",
        ),
    ),
    "operators": CommandRow(
        "reconciler.cli.operators:operators",
        "Show the identities that no run may lock out, or drop one that the service recorded.",
        ("operators", "operators clear fabrikam-prime"),
    ),
    "schema": CommandRow(
        "reconciler.cli.schema:schema",
        "Print the JSON Schema of spec files, so that an editor completes and checks them.",
        ("schema > pool.schema.json",),
    ),
    "policy": CommandRow(
        "reconciler.cli.policy:policy",
        "Write a policy that allows what the specs use, migrate one to policy/v2, or check one.",
        (
            "policy init --specs specs/ --to policy.yaml",
            "policy migrate policy.yaml > policy-v2.yaml",
            "policy check policy.yaml",
        ),
    ),
    "notify": CommandRow(
        "reconciler.cli.notify:notify",
        "Test the receivers of notices, show messages that could not be sent, and send them again.",
        ("notify test", "notify list", "notify resend"),
    ),
    "serve": CommandRow(
        "reconciler.cli.serve:serve",
        "Run the triggers on this machine: HTTP, timers, queues.",
        ("serve", "serve --port 8080 --workers 4", "serve --no-timers"),
    ),
    "explain": CommandRow(
        "reconciler.cli.explain:explain",
        "Explain whether a project or pipeline may run on a pool now",
        (
            "explain fabrikam-managed-pool fabrikam-tailspin/Web",
            "explain fabrikam-release-pool fabrikam-release '\\release\\nightly' --output json",
        ),
    ),
    "import": CommandRow(
        "reconciler.cli.importing:import_pools",
        "Write a spec for every existing pool, with the access that is observed",
        (
            "import --to specs/",
            "import --access-only --to specs/   (Terraform or Bicep keeps the pools)",
            "import fabrikam-managed-pool --subscription 11111111-2222-3333-4444-555555555555 --to specs/ --force",
        ),
    ),
    "convert": CommandRow(
        "reconciler.cli.convert:convert",
        "Print pools of templates, Bicep or az mdp as specs.",
        (
            "convert main.bicep --subscription 1111… --resource-group rg-build > pool.yaml",
            "convert deploy.json --parameters deploy.parameters.json --subscription 1111… --resource-group rg-build",
            "convert organization.json fabric.json --name build --subscription 1111… --resource-group rg-build",
        ),
    ),
    "doctor": CommandRow(
        "reconciler.cli.doctor:doctor",
        "Check which rights the operator lacks, who has to grant them, and where.",
        ("doctor", "doctor fabrikam-managed-pool --mode report --output json"),
    ),
    "onboard": CommandRow(
        "reconciler.cli.onboard:onboard",
        "Plan the rights that the operator's identity lacks, and with --apply grant them, as yourself.",
        (
            "onboard fabrikam-prime --identity 22222222-3333-4444-5555-666666666666",
            "onboard fabrikam-prime fabrikam-tailspin --identity 2222… --mode enforce --apply",
            "onboard fabrikam-prime --identity 2222… --project fabrikam-dev --output json",
        ),
    ),
    "probe": CommandRow(
        "reconciler.cli.probe:probe",
        "Detect undocumented Azure DevOps behaviour with read-only calls and save the result",
        (
            "probe",
            "probe fabrikam-prime --subscription 11111111-2222-3333-4444-555555555555 --to capabilities.yaml",
            "probe --check capabilities.yaml",
        ),
    ),
    "demo": CommandRow(
        "reconciler.demo.command:demo",
        "Show the main job against the emulator, on this machine alone: no cloud, no account.",
        ("demo", "demo --keep"),
    ),
    "play": CommandRow(
        "reconciler.demo.play:play",
        "Open the status page over an emulated estate, with a panel to cause drift.",
        ("play",),
    ),
}
"""In the order of the list. `demo` and `play` stand above this package; naming them here imports nothing."""


def command(name: str) -> TyperCommand:
    """The command itself; imports its module."""
    row = COMMANDS[name]
    module, _, function = row.function.partition(":")
    program = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_HELP)
    examples = (f"  {PROGRAM} {line}" for line in row.examples)
    epilog = "\n".join(["\b", "Examples:", *examples])
    program.command(name, epilog=epilog)(getattr(importlib.import_module(module), function))
    made = get_command(program)
    assert isinstance(made, TyperCommand)  # noqa: S101 - for the type checker: a program of one command is that
    return made


class _ListedCommand(TyperCommand):
    """A command as the list shows it, without its module."""

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - the list wraps lines, none is cut
        return self.help or ""


class CommandGroup(TyperGroup):
    """The program: lists commands from the table and imports the one that runs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, row in COMMANDS.items():
            self.add_command(_ListedCommand(name, help=row.summary, rich_markup_mode=None))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and the rest of the arguments."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, command(name) if name and listed else None, rest


def _program(*, env_file: EnvFile = None, version: Version = False) -> None:  # noqa: ARG001 - shown by its callback
    """Take the options that come before a command."""
    ENV_FILE.set(env_file)


app = typer.Typer(
    name="reconciler",
    cls=CommandGroup,
    callback=_program,
    help=ABOUT,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)
