"""Writes the generated parts of the documentation from the program, each between two marks of its page.

    python scripts/reference.py            writes them
    python scripts/reference.py --check    exit code 1 where a page differs from the program

Other generated tables have their own command, which stands in the mark before the table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from reconciler.config import settings, triggers  # noqa: E402 - found by the line above
from reconciler.facets.support.mutability import TABLE, Way  # noqa: E402
from scripts import reference_parts  # noqa: E402

BEGIN, END = "<!-- {name}: made by scripts/reference.py -->", "<!-- /{name} -->"
_AZURERM: Mapping[str, tuple[str, ...]] = {
    "organizationProfile.permissionProfile*": ("permission_profile_kind", "administrator_accounts"),
    "organizationProfile.organizations[*].openAccess": (),
}
"""Arguments of a block `azure_devops_organization_profile` (terraform-provider-azurerm, documentation of
managed_devops_pool). It has none for open access."""
_POOL = "Microsoft.DevOpsInfrastructure/pools@2025-09-20"


def owned() -> str:
    """Fields of the ARM body that the operator owns, with their names in Terraform."""
    rows = [f"| `{path.rstrip('*')}` | the operator | `{_azapi(path, 0)}` | {_azurerm(path)} |" for path in _owned()]
    head = ["| field of the ARM body | owner | in `azapi_resource` | in `azurerm_managed_devops_pool` |"]
    return "\n".join(
        [*head, "| --- | --- | --- | --- |", *rows, "| everything else | the other tool | as it is | as it is |"]
    )


def azapi() -> str:
    """The snippet for a pool with two organizations."""
    paths = [_azapi(path, index) for path in _owned() for index in (range(2) if "[*]" in path else (0,))]
    ignored = "".join(f"      {path},\n" for path in paths)
    return (
        f'```hcl\nresource "azapi_resource" "pool" {{\n  type = "{_POOL}"\n'
        "  # name, parent_id, location, body: as they are\n\n"
        f"  lifecycle {{\n    ignore_changes = [\n{ignored}    ]\n  }}\n}}\n```"
    )


def azurerm() -> str:
    """The same for azurerm."""
    ignored = "".join(
        f"      azure_devops_organization_profile[0].{argument},\n" for path in _owned() for argument in _AZURERM[path]
    )
    return (
        '```hcl\nresource "azurerm_managed_devops_pool" "pool" {\n  # all arguments: as they are\n\n'
        f"  lifecycle {{\n    ignore_changes = [\n{ignored}    ]\n  }}\n}}\n```"
    )


PAGES: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "docs/commands.md": {"commands": reference_parts.commands},
    "docs/conditions.md": {"conditions": reference_parts.conditions, "alerts": reference_parts.alerts},
    "docs/http-api.md": {"routes": reference_parts.routes},
    "docs/settings.md": {"settings": lambda: reference_parts.settings_table(settings.VARIABLES)},
    "docs/hosting.md": {"settings": lambda: reference_parts.settings_table(triggers.VARIABLES)},
    "docs/how-to/terraform-and-bicep.md": {"owned": owned, "azapi": azapi, "azurerm": azurerm},
}


def with_parts(page: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The page with its parts replaced; `ValueError` where a mark is missing."""
    for name, made in parts.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        before, mark, rest = page.partition(begin)
        _, closing, after = rest.partition(end)
        if not mark or not closing:
            raise ValueError(f"the marks {begin} and {end} are missing")
        page = f"{before}{begin}\n{made()}\n{end}{after}"
    return page


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    differing = []
    for name, parts in PAGES.items():
        path = ROOT / name
        page = path.read_text(encoding="utf-8")
        if (written := with_parts(page, parts)) != page:
            differing.append(name)
            if "--check" not in arguments:
                path.write_text(written, encoding="utf-8")
    for name in differing:
        did = "differs; run scripts/reference.py" if "--check" in arguments else "written"
        sys.stdout.write(f"{name}: {did}\n")
    return 1 if differing and "--check" in arguments else 0


def _owned() -> list[str]:
    return [row.path for row in TABLE if row.way is Way.DEVOPS]


def _azapi(path: str, index: int) -> str:
    return f"body.properties.{path.rstrip('*').replace('[*]', f'[{index}]')}"


def _azurerm(path: str) -> str:
    return ", ".join(f"`azure_devops_organization_profile[0].{one}`" for one in _AZURERM[path]) or "no such argument"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
