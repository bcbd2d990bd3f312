"""The JSON Schema, the reference and the examples agree with the loader."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.spec.loader import load
from reconciler.spec.reference import BEGIN, END, tables, weave
from reconciler.spec.schema import json_schema, kebab, words
from reconciler.spec.source import documents

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "specs").iterdir())


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def objects(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "Document", schema
    yield from schema["$defs"].items()


def test_the_schema_is_one_of_its_dialect(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    text = str(schema)
    for name in {part.split("'")[0] for part in text.split("#/$defs/")[1:]}:
        assert name in schema["$defs"]


def test_every_field_has_a_title_and_a_description_and_none_is_unknown(schema: dict[str, Any]) -> None:
    for name, one in objects(schema):
        if name.startswith("az."):
            continue
        assert one["title"], name
        assert one["description"], name
        assert one["additionalProperties"] is False, name
        for field, said in one["properties"].items():
            assert said["title"], (name, field)
            assert "description" in said or "$ref" in said, (name, field)


def test_every_example_of_a_field_is_right(schema: dict[str, Any]) -> None:
    for name, one in objects(schema):
        for field, said in one.get("properties", {}).items():
            validator = jsonschema.Draft202012Validator({**said, "$defs": schema["$defs"]})
            for example in said.get("examples", ()):
                assert validator.is_valid(example), (name, field, example)


def test_the_schema_is_a_new_value_on_every_call() -> None:
    json_schema()["properties"].clear()
    assert json_schema()["properties"]


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_is_right_for_the_loader_and_for_editors(path: Path, schema: dict[str, Any]) -> None:
    found = load({path.name: path.read_bytes()})
    assert [str(one) for one in found.problems] == []
    assert [spec.name for spec in found.specs] == [path.stem], "a file is called as its pool"
    jsonschema.Draft202012Validator(schema).validate(documents(path.read_bytes())[0].value)


def test_the_examples_are_a_set_that_can_be_used_together() -> None:
    found = load({path.name: path.read_bytes() for path in EXAMPLES})
    assert len(found.specs) == len(EXAMPLES)
    assert found.warnings == ()
    assert {one.name for spec in found.specs for one in spec.organizations} == {"fabrikam-tailspin", "fabrikam-prime"}


def test_one_example_names_every_property(schema: dict[str, Any]) -> None:
    """A new property of the schema is shown here."""
    shown = str(documents((ROOT / "examples/specs/fabrikam-everything.yaml").read_bytes())[0].value)
    elsewhere = {
        "repositories",
        "predictionPreference",
        "staticIpAddressCount",
        "id",
        "name",
        "type",
        "apiVersion",
        "resourceGroup",
        "userAssignedIdentities",
    }
    for model in ("Pool", "Properties", "AzureDevOpsOrganizationProfile", "Organization", "VmssFabricProfile", "Sku", "Image",
                  "OsProfile", "SecretsManagementSettings", "StorageProfile", "DataDisk", "NetworkProfile", "RuntimeConfiguration",
                  "StatefulAgentProfile", "ResourcePredictions", "Identity", "PermissionProfile"):  # fmt: skip
        for field, said in schema["$defs"][model]["properties"].items():
            assert f"'{field}'" in shown or said.get("readOnly") or field in elsewhere, (model, field)


WRONG: list[tuple[str, Any]] = [
    ("colour", 1),
    ("mode", "x"),
    ("name", "x"),
    ("until", 4),
    ("pool.colour", 1),
    ("pool.properties.maximumConcurrency", 0),
    ("pool.properties.organizationProfile.organizations.0.openAcces", True),
    ("pool.properties.organizationProfile.kind", "GitLab"),
    ("pool.properties.agentProfile.kind", "stateful"),
    ("pool.properties.fabricProfile.images.0.buffer", "101"),
    ("pool.properties.agentProfile.resourcePredictions", {"daysData": [{"9:00": 1}]}),
    ("access.roles", [{}]),
    ("access.pipelines", [{"project": "a/b", "pipelines": ["x"]}]),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=[path for path, _ in WRONG])
def test_an_editor_marks_what_the_loader_refuses(
    right: dict[str, Any], schema: dict[str, Any], says: Any, path: str, value: object
) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(copy.deepcopy(right))
    assert says((path, value)), "says() has changed `right` in place"
    assert not validator.is_valid(right)


def test_names_of_az_are_offered(schema: dict[str, Any]) -> None:
    assert {"organization-profile", "maximum-concurrency", "devcenter-project-id"} <= schema["$defs"]["az.Pool"][
        "properties"
    ].keys()
    profile = schema["$defs"]["az.OrganizationProfile"]["anyOf"][0]["properties"]
    assert {"AzureDevOps", "azure-dev-ops", "GitHub"} <= profile.keys()


def test_names_are_spelt_like_az_and_like_titles() -> None:
    assert (kebab("diskSizeGiB"), kebab("subnetId")) == ("disk-size-gi-b", "subnet-id")
    assert words("maximumConcurrency") == "Maximum concurrency"


def test_the_reference_is_made_from_the_models() -> None:
    page = (ROOT / "docs/spec.md").read_text()
    assert page == weave(page), (
        "run: python -m reconciler.spec.reference < docs/spec.md > new.md && mv new.md docs/spec.md"
    )


def test_every_field_is_in_the_reference(schema: dict[str, Any]) -> None:
    text = tables()
    for name, one in objects(schema):
        if not name.startswith("az."):
            assert f"### {name}\n" in text
            assert all(f"| `{field}` |" in text for field in one["properties"])


def test_the_reference_is_a_filter() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    run = subprocess.run(
        [sys.executable, "-m", "reconciler.spec.reference"],
        input=page,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert run.stdout == weave(page)
    assert run.stdout.startswith(f"before\n{BEGIN}\n\n### Document")
    assert run.stdout.endswith(f"{END}\nafter\n")


def test_the_page_explains_with_a_spec_that_is_right() -> None:
    page = (ROOT / "docs/spec.md").read_text()
    block = page.split("```yaml\n")[1].split("```")[0]
    assert [str(one) for one in load({"page.yaml": block.encode()}).problems] == []
