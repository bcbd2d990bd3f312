"""`convert`: what cannot be read is one line with its place, and nothing is guessed."""

from __future__ import annotations

import json

import pytest

from reconciler.errors import SpecInvalid
from reconciler.tools.convert import Given, drafts, parameters_of, pieces
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
        drafts(pieces(files), Given(SUBSCRIPTION, "rg-build"))

    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_name_for_several_pools_is_refused() -> None:
    two = json.dumps({"resources": [json.loads(template({}))["resources"][0]] * 2}).encode()

    with pytest.raises(SpecInvalid, match="there are 2 pools"):
        drafts(pieces({"a.json": two}), Given(SUBSCRIPTION, "rg-build", name="mine"))


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
