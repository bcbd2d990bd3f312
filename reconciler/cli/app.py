"""The commands, by name: what `--help` shows, and which function each one is."""

from __future__ import annotations

import typer

from reconciler.cli.apply import apply
from reconciler.cli.convert import convert
from reconciler.cli.doctor import doctor
from reconciler.cli.explain import explain
from reconciler.cli.importing import import_pools
from reconciler.cli.onboard import onboard
from reconciler.cli.plan import plan
from reconciler.cli.probe import probe
from reconciler.cli.schema import schema
from reconciler.cli.serve import serve
from reconciler.cli.status import status
from reconciler.cli.validate import validate

ABOUT = """Keeps Azure Managed DevOps Pools, and who may run code on them, as a git repository says.

Exit codes: 0 in sync, done or valid; 2 out of sync, or changes still to come; 1 an error, of usage too; 130 Ctrl-C.
"""

app = typer.Typer(
    name="reconciler",
    help=ABOUT,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _examples(*lines: str) -> str:
    return "\n\n".join(["Examples:", *(f"python -m reconciler {line}" for line in lines)])


app.command(
    epilog=_examples(
        "validate --specs specs/",
        "validate --specs https://github.com/fabrikam/pools.git#main:specs --output json",
    )
)(validate)
app.command(
    epilog=_examples(
        "plan --specs specs/",
        "plan fabrikam-managed-pool --ref main",
        "plan --output markdown > comment.md",
    )
)(plan)
app.command(
    epilog=_examples(
        "apply --specs specs/",
        "apply fabrikam-managed-pool --plan-hash 0f3a…   (this plan or none)",
        "apply --policy policy.yaml --timeout 3600",
    )
)(apply)
app.command(
    epilog=_examples(
        "status",
        "status fabrikam-managed-pool --output json",
        "status --unmanaged --specs specs/",
    )
)(status)
app.command(epilog=_examples("schema > pool.schema.json"))(schema)
app.command(epilog=_examples("serve", "serve --port 8080 --workers 4", "serve --no-timers"))(serve)
app.command(
    epilog=_examples(
        "explain fabrikam-managed-pool fabrikam-tailspin/Web",
        "explain fabrikam-release-pool fabrikam-release '\\release\\nightly' --output json",
    )
)(explain)
app.command(
    "import",
    epilog=_examples(
        "import --to specs/",
        "import fabrikam-managed-pool --subscription 11111111-2222-3333-4444-555555555555 --to specs/ --force",
    ),
)(import_pools)
app.command(
    epilog=_examples(
        "convert main.bicep --subscription 1111… --resource-group rg-build > pool.yaml",
        "convert deploy.json --parameters deploy.parameters.json --subscription 1111… --resource-group rg-build",
        "convert organization-profile.json fabric-profile.json --name build --subscription 1111… --resource-group rg",
    )
)(convert)
app.command(epilog=_examples("doctor", "doctor fabrikam-managed-pool --mode report --output json"))(doctor)
app.command(
    epilog=_examples(
        "onboard fabrikam-prime --identity 22222222-3333-4444-5555-666666666666",
        "onboard fabrikam-prime fabrikam-tailspin --identity 2222… --mode enforce --apply",
        "onboard fabrikam-prime --identity 2222… --project fabrikam-dev --output json",
    )
)(onboard)
app.command(
    epilog=_examples(
        "probe",
        "probe fabrikam-prime --subscription 11111111-2222-3333-4444-555555555555 --to capabilities.yaml",
        "probe --check capabilities.yaml",
    )
)(probe)
