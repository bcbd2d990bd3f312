"""`convert`: what cannot be read is one line with its place, and nothing is guessed."""

from __future__ import annotations

import json

import pytest

from reconciler.errors import SpecInvalid
from reconciler.tools.convert import ConvertOptions, drafts, parameters_of, pieces
from tests.shell import Shell
from tests.tools.convert.samples import resource, template

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
HERE = ("--subscription", SUBSCRIPTION, "--resource-group", "rg-build")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.json": b"{"}, "a.json:1: is not JSON: "),
        ({"a.json": b"\xff"}, "a.json: is not a text in UTF-8, byte 0"),
        ({"a.json": b"[]"}, "a.json: is neither a template nor a pool nor a profile"),
        ({"a.json": b'{"resources": []}'}, "a.json: the template has no resource of type"),
        ({"a.json": b'{"resources": 1}'}, "a.json: the template has no resource of type"),
        ({"a.bicep": b"param x string\n"}, "a.bicep:1: is neither a Bicep file with a pool nor a part of one"),
        ({"a.bicep": b"x: 1\n"}, "a.bicep: is neither a Bicep file with a pool nor a part of one"),
        ({"a.bicep": b"resource a 'b@1' = { name: 'x' }"}, "a.bicep: has no resource of type"),
        ({"a.json": b'{"vmss": {}}'}, "a.json: does not say the pool's name; give it by --name"),
        (
            {
                "a.bicep": (resource({}) + resource({}).replace("managedDevOpsPools", "b")).encode(),
                "b.json": b'{"vmss": {}}',
            },
            "b.json: is a part of a pool, and there are 2 pools",
        ),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_place(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        drafts(pieces(files), ConvertOptions(SUBSCRIPTION, "rg-build"))

    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


POOL = "'Microsoft.DevOpsInfrastructure/pools@2025-01-21'"


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("main.tf", "", r"main\.tf: is Terraform, .*`import`"),
        ("create.SH", "", r"create\.SH: is a script; .*`import`"),
        ("main.bicepparam", "", r"main\.bicepparam: .*`az bicep build-params`.*--parameters"),
        ("pool.yaml", "", r"pool\.yaml: is YAML"),
        ("a.json", '{"vmss": {"sku": 1,\n"sku": 2}}', r"^a\.json:2: vmss\.sku is given twice"),
        ("a.bicep", f"resource a {POOL} existing = {{\n  name: 'x'\n}}\n", r"^a\.bicep:1: .*`existing`"),
        (
            "a.bicep",
            f"param on bool = false\nresource a {POOL} = if (on) {{\n  name: 'x'\n}}\n",
            r"a\.bicep:2: .*false",
        ),
        ("a.bicep", f"var body = {{}}\nresource a {POOL} = body\n", r"^a\.bicep:\d: "),
        (
            "a.bicep",
            "\nmodule pool 'br/public:avm/res/dev-ops-infrastructure/pool:0.7.0' = {\n  name: 'x'\n}\n",
            r"a\.bicep: .*module br/public:avm\S+ of line 2: run `az bicep build --file a\.bicep`",
        ),
        ("a.bicep", f"resource a {POOL} = {{\n  name: 'x'\n  tags: {{\n}}\n", r"^a\.bicep:1: is not Bicep: { is never"),
        (
            "a.bicep",
            f"resource a {POOL} = {{\n  name: 'one-pool'\n}}\nresource b {POOL} = {{\n  name: 'x'\n",
            r"^a\.bicep:4: is not Bicep: { is never closed",
        ),
        (
            "a.json",
            json.dumps({"resources": [{**json.loads(template({}))["resources"][0], "condition": False}]}),
            r"a\.json: .*; the condition of a\.json:1 is false",
        ),
        (
            "a.json",
            json.dumps(
                {"resources": [{"type": "Microsoft.Resources/deployments", "properties": {"templateLink": {}}}]}
            ),
            r"the deployment at a\.json:1 has its template elsewhere; convert that",
        ),
        ("p.json", json.dumps({**json.loads(template({}))["resources"][0], "condition": False}), r"is not made"),
    ],
)
def test_a_file_without_a_pool_that_can_be_read_says_what_to_do(name: str, content: str, refusal: str) -> None:
    with pytest.raises(SpecInvalid, match=refusal):
        pieces({name: content.encode()})


def test_a_parameter_without_a_value_of_its_own_is_refused() -> None:
    with pytest.raises(SpecInvalid, match=r'p\.json: parameter a has no value; write {"value": …}'):
        parameters_of("p.json", b'{"$schema": "x", "parameters": {"a": 5}}')
    with pytest.raises(SpecInvalid, match="build-params"):
        parameters_of("p.bicepparam", b"using 'a.bicep'")


def test_two_pools_of_one_name_are_refused() -> None:
    two = json.dumps([{"type": "Microsoft.DevOpsInfrastructure/pools", "name": "fabrikam", "location": "eastus"}] * 2)

    with pytest.raises(SpecInvalid, match="fabrikam is the name of 2 pools"):
        drafts(pieces({"a.json": two.encode()}), ConvertOptions(SUBSCRIPTION, "rg-build"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"vmss": ' + "[" * 200 + "]" * 200 + "}"),
        ("a.json", "[" * 100_000),
        ("a.bicep", f"resource a {POOL} = {{\n  name: 'x'\n  tags: {'[' * 200}{']' * 200}\n}}\n"),
    ],
)
def test_a_file_that_is_nested_without_end_is_refused(name: str, content: str) -> None:
    with pytest.raises(SpecInvalid, match=r"is nested deeper than 100 levels|is never closed"):
        pieces({name: content.encode()})


def test_many_tags_are_read_soon() -> None:
    tags = {f"tag{number}": "x" for number in range(9_000)}
    (draft,) = drafts(pieces({"a.json": template({}, tags=tags).encode()}), ConvertOptions(SUBSCRIPTION, "rg-build"))

    assert draft.document["pool"]["tags"] == tags


def test_variables_that_grow_without_end_are_refused_soon() -> None:
    doubled = {f"v{number}": [f"[variables('v{number + 1}')]"] * 40 for number in range(7)}
    found = json.loads(template({"x": "[variables('v0')]"}))
    bomb = {**found, "variables": {**doubled, "v7": "x"}}

    with pytest.raises(SpecInvalid, match="has more than 10000 values"):
        pieces({"a.json": json.dumps(bomb).encode()})


def test_a_name_for_several_pools_is_refused() -> None:
    two = json.dumps({"resources": [json.loads(template({}))["resources"][0]] * 2}).encode()

    with pytest.raises(SpecInvalid, match="there are 2 pools"):
        drafts(pieces({"a.json": two}), ConvertOptions(SUBSCRIPTION, "rg-build", name="mine"))


def test_parameter_files_give_values_and_no_references() -> None:
    document = {"parameters": {"a": {"value": 1}, "b": {"reference": {"secretName": "x"}}}}

    assert parameters_of("p.json", json.dumps(document).encode()) == {"a": 1}
    with pytest.raises(SpecInvalid, match=r"p\.json: is not a parameter file"):
        parameters_of("p.json", b"[]")


def test_problems_that_cannot_be_left_out_end_with_an_error(shell: Shell) -> None:
    shell.write("pool.bicep", resource({"maximumConcurrency": 1}))

    done = shell.run("convert", "pool.bicep", *HERE)
    short = shell.run("convert", "pool.bicep", "--name", "x", *HERE)
    gone = shell.run("convert", "nowhere.bicep", *HERE)

    assert (done.code, short.code, gone.code) == (0, 1, 1)
    assert "error: x: name: is x, 1 characters long" in short.err
    assert gone.err == "error: NotFound: nowhere.bicep: No such file or directory\n"
