"""The format as JSON Schema (draft 2020-12), for editors that complete and check while one types.

It is made from the same types as the loader's checks. An editor is shown one shape at a time: ARM's, or the one of
`az mdp` with its names in kebab case and its kinds as keys; the loader reads mixtures of the two as well. What a schema
cannot say (sums, dates that need a reason, names that belong to the pool) the loader says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.spec.document import adapter

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"
_AZ = "az."
_KINDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "OrganizationProfile": {
        "AzureDevOpsOrganizationProfile": ("AzureDevOps", "azure-dev-ops"),
        "GitHubOrganizationProfile": ("GitHub", "git-hub"),
    },
    "FabricProfile": {"VmssFabricProfile": ("vmss",)},
    "AgentProfile": {
        "StatelessAgentProfile": ("stateless", "Stateless"),
        "StatefulAgentProfile": ("stateful", "Stateful"),
    },
    "ResourcePredictionsProfile": {
        "ManualPredictions": ("manual", "Manual"),
        "AutomaticPredictions": ("automatic", "Automatic"),
    },
}
"""Object of the az shape → type → the keys that stand for its kind (azure-cli-extensions, mdp)."""
_COMMON = ("resourcePredictions", "resourcePredictionsProfile")
_DEVCENTER = ("devcenter-project-id", "devcenter-project-resource-id")


def json_schema() -> Schema:
    """The schema of one document, as a new value on every call."""
    schema = adapter().json_schema(ref_template=_REF + "{model}")
    _publish(schema)
    definitions: Schema = {_published(name): definition for name, definition in schema.pop("$defs").items()}
    for name, definition in [("Document", schema), *definitions.items()]:
        _titles(definition, name)
        _close(definition)
    identities = definitions["Identity"]["properties"]["userAssignedIdentities"]
    identities |= {"type": ["object", "array"], "items": {"type": "string"}}
    definitions |= _az(definitions)
    schema["properties"]["pool"] = {
        **schema["properties"]["pool"],
        "anyOf": [{"$ref": f"{_REF}Pool"}, {"$ref": f"{_REF}{_AZ}Pool"}],
    }
    del schema["properties"]["pool"]["$ref"]
    schema["title"] = "Managed DevOps Pool, as git wants it"
    return {"$schema": _DIALECT, **schema, "$defs": dict(sorted(definitions.items()))}


def kebab(name: str) -> str:
    """``maximumConcurrency`` → ``maximum-concurrency``, as `az` spells it."""
    return "disk-size-gi-b" if name == "diskSizeGiB" else re.sub("[A-Z]", lambda found: f"-{found[0].lower()}", name)


def words(name: str) -> str:
    """A title: ``maximumConcurrency`` → ``Maximum concurrency``."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return text[:1].upper() + text[1:]


def _published(name: str) -> str:
    """Editors and the reference show what the object is; that its class describes a document is our business."""
    return name.removesuffix("Document").removesuffix("Body")


def _publish(value: Any) -> None:
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        if key == "$ref":
            value[key] = _published(one)
        elif isinstance(one, dict | list):
            _publish(one)


def _titles(definition: Schema, name: str) -> None:
    definition["title"] = words(name)
    for field, one in definition.get("properties", {}).items():
        one["title"] = words(field)
        one.pop("discriminator", None)
        if "Read-only" in one.get("description", ""):
            one["readOnly"] = True


def _close(value: Any) -> None:
    """A map whose keys have a form has no other keys."""
    if isinstance(value, dict):
        if "patternProperties" in value:
            value["additionalProperties"] = False
        for one in value.values():
            _close(one)
    elif isinstance(value, list):
        for one in value:
            _close(one)


def _az(definitions: Schema) -> Schema:
    """The same objects with names of az beside ARM's, kinds as keys, and nothing required."""
    az = {f"{_AZ}{name}": _az_object(one) for name, one in definitions.items() if "properties" in one}
    for name, kinds in _KINDS.items():
        az[f"{_AZ}{name}"] = _kinds_as_keys(az, name, kinds)
    profile = az[f"{_AZ}AzureDevOpsOrganizationProfile"]["properties"]
    profile["organizationProfile"] = {"$ref": f"{_REF}{_AZ}AzureDevOpsOrganizationProfile"}
    pool, properties = az[f"{_AZ}Pool"]["properties"], dict(az[f"{_AZ}Properties"]["properties"])
    for name in _DEVCENTER:
        properties[name] = properties["devCenterProjectResourceId"]
    pool |= properties
    return az


def _az_object(definition: Schema) -> Schema:
    fields: Schema = {}
    for name, one in definition["properties"].items():
        for spelling in dict.fromkeys((kebab(name), name)):
            fields[spelling] = _az_refs(one, name)
    if "timeZone" in fields:
        fields["timezone"] = fields["timeZone"]
    return {**{key: one for key, one in definition.items() if key != "required"}, "properties": fields}


def _az_refs(value: Any, name: str = "") -> Any:
    """References to the az form of the same object; a union of kinds becomes the object with kinds as keys."""
    upper = name[:1].upper() + name[1:]
    if isinstance(value, dict) and upper in _KINDS:
        said = {key: one for key, one in value.items() if key not in ("oneOf", "$ref")}
        return {**said, "$ref": f"{_REF}{_AZ}{upper}"}
    if isinstance(value, dict):
        return {
            key: one.replace(_REF, _REF + _AZ) if key == "$ref" else _az_refs(one)
            for key, one in value.items()
            if key != "examples"
        }
    return [_az_refs(one) for one in value] if isinstance(value, list) else value


def _kinds_as_keys(az: Schema, name: str, kinds: Mapping[str, tuple[str, ...]]) -> Schema:
    """``{stateful: {…}, resource-predictions: {…}}``, or the ARM form with `kind`."""
    fields: Schema = {}
    for kind, keys in kinds.items():
        fields |= {key: {"$ref": f"{_REF}{_AZ}{kind}", "title": words(key)} for key in keys}
        fields |= {field: one for field, one in az[f"{_AZ}{kind}"]["properties"].items() if field in _spelt(*_COMMON)}
    by_key = {
        "type": "object",
        "title": f"{words(name)} with its kind as key",
        "properties": fields,
        "additionalProperties": False,
    }
    with_kind = [{"$ref": f"{_REF}{_AZ}{kind}"} for kind in kinds]
    return {"title": words(name), "anyOf": [by_key, *with_kind]}


def _spelt(*names: str) -> set[str]:
    return {*names, *map(kebab, names)}
