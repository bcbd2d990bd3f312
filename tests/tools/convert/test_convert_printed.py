"""Samples as the product's page prints them: shortened by dots, and with a bracket too few."""

from __future__ import annotations

import pytest

from reconciler.errors import SpecInvalid
from reconciler.tools.convert import pieces
from tests.tools.convert.samples import converted, left_out

DOTS_JSON = """{
"vmss": {
"sku": {...},
"images": [...],
"osProfile": {
"secretsManagementSettings": {...},
"logonType": "Interactive"
},
"storageProfile": {...}
}
}"""
DOTS_BICEP = """resource managedDevOpsPools 'Microsoft.DevOpsInfrastructure/pools@2025-01-21' = {
name: 'fabrikam-managed-pool'
location: 'eastus'
properties: {
fabricProfile: {
sku: {...}
images: [...]
osProfile: {
secretsManagementSettings: {...}
logonType: 'Interactive'
}
storageProfile: {...}
kind: 'Vmss'
}
}
}"""
DOTS_TEMPLATE = """{
"resources": [
{
"type": "microsoft.devopsinfrastructure/pools",
"name": "fabrikam-managed-pool",
"properties": {
...
"organizationProfile": {
"organizations": [{ "url": "https://dev.azure.com/fabrikam-tailspin", "alias": "a...", "parallelism": 4 }],
"kind": "AzureDevOps"
}
}
}
]
}"""


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("fabric-profile.json", DOTS_JSON, [3, 4, 6, 9]),
        ("main.bicep", DOTS_BICEP, [6, 7, 9, 12]),
        ("part.bicep", "organizationProfile: {\n  organizations: [...]\n  kind: 'AzureDevOps'\n}\n", [2]),
        ("part.json", '"organizationProfile": {\n"organizations": [...],\n"kind": "AzureDevOps"\n}', [2]),
        ("deploy.json", DOTS_TEMPLATE, [7]),
    ],
)
def test_dots_of_a_printed_sample_are_left_out_each_with_its_line(name: str, content: str, lines: list[int]) -> None:
    """Pasted as the page prints it: what is there is read, what the dots stand for is named."""
    draft = converted({name: content})

    dots = [note for note in left_out(draft) if "dots" in note]
    assert [int(note.split(":")[2]) for note in dots] == lines
    assert not [note for note in left_out(draft) if "is no property" in note or "is computed" in note]


def test_dots_in_a_text_are_a_text() -> None:
    draft = converted({"deploy.json": DOTS_TEMPLATE})

    (organization,) = draft.document["pool"]["properties"]["organizationProfile"]["organizations"]
    assert organization["alias"] == "a..."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            DOTS_TEMPLATE.replace("}\n}\n}\n]", "}\n}\n]"),
            r"^a\.json:13: is not JSON: \] closes nothing; a bracket before",
        ),
        ('{"AzureDevOps": {\n"organizations": []\n}', r"^a\.json:1: is not JSON: { is never closed; } is missing"),
        ('{"a": 1 "b": 2}', r"^a\.json:1: is not JSON: Expecting ',' delimiter"),
    ],
)
def test_a_bracket_that_a_sample_lacks_is_named(content: str, said: str) -> None:
    """Some of the page's templates close the list before the resource."""
    with pytest.raises(SpecInvalid, match=said):
        pieces({"a.json": content.encode()})
