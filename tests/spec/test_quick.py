"""The short way to read a file gives what the whole reader gives, or leaves the file to that."""

from __future__ import annotations

import random
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.spec import quick
from reconciler.spec.loader import Loaded, load
from reconciler.spec.source import Unreadable, documents
from tests.examples import tries
from tests.spec.test_spec_properties import specs

SPEC = """\
---
# the pool of the web team
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: pool-1
subscription: 11111111-2222-3333-4444-555555555555
resourceGroup: 'rg-build'   # ours
mode: report
pool:
  location: eastus

  tags: {}
  properties:
    maximumConcurrency: 4
    organizationProfile:
      kind: AzureDevOps
      organizations:
      - url: https://dev.azure.com/fabrikam
        projects: []
        openAccess: true
      - url: "https://dev.azure.com/tailspin"
        projects:
          - web shop
          - '7'
    agentProfile:
      kind: Stateless
    fabricProfile:
      kind: Vmss
      sku:
        name: Standard_D2ads_v5
      images:
      - wellKnownImageName: ubuntu-24.04
access:
  roles:
  - organization: fabrikam
    administrators:
    - ann@fabrikam.com
    - '[fabrikam]\\Builders'
  pipelines:
  - project: tailspin/7
    pipelines:
    - \\release\\nightly
    - 42
"""
LINES = SPEC.splitlines()
BITS = [
    *("", " ", "  ", "    ", "- ", "-", "--", "? ", ":", ": ", " :", "::", "#", " #", "# x", "\t", "\r", "\n", "\n\n", "\r\n"),
    *("'", '"', "''", "[", "]", "[]", "{", "}", "{}", ",", "&a ", "*a", "<<: *a", "!x ", "!!str ", "|", ">-", "%", "@", "`"),
    *("a", "key:", "key: ", "key: value", "null", "~", "true", "No", "0", "-1", "1e3", "0x1F", "12:30:00", ".5", "---", "..."),
    *("\n---\n", "\ufeff", "\u200b", "\u00e9", "\u2028", "\x00", "\\", "\\n", "a b", "a - b", "a :b", "a: b", "name: x", "=", "description:"),
]  # fmt: skip
PROPERTY = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=tries(150, soaked=400))


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A spec with some lines moved, doubled or left out, and with bits of YAML put anywhere."""
    lines = list(LINES)
    for _ in range(draw(st.integers(0, 3))):
        at, line = draw(st.integers(0, len(lines) - 1)), draw(st.sampled_from(lines))
        lines[at : at + draw(st.integers(0, 2))] = [" " * draw(st.integers(0, 3)) + line] * draw(st.integers(0, 2))
        lines = lines or [line]
    text = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n", "\n...\n"]))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(BITS)) + text[at + draw(st.integers(0, 2)) :]
    return text


BLOCKS = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.sampled_from([*BITS, "a: 1", "b:", "c: []"])), max_size=8
).map(lambda rows: "\n".join(" " * indent + ("- " if dash else "") + bit for indent, dash, bit in rows))


def whole(data: bytes) -> Any:
    """What the whole reader makes of it: the one mapping, typed; a text where there is none, or anything is wrong."""
    try:
        found = documents(data)
    except Unreadable as error:
        return error.message
    if len(found) != 1 or found[0].findings or not isinstance(found[0].value, dict):
        return "no single document, or findings"
    return typed(found[0].value)


def typed(value: Any) -> Any:
    """With the type of each scalar and the order of keys, so that 1, 1.0 and true differ."""
    if isinstance(value, dict):
        return [(key, typed(one)) for key, one in value.items()]
    return [typed(one) for one in value] if isinstance(value, list) else (type(value).__name__, value)


def same_as_the_whole_reader(data: bytes) -> None:
    value = quick.mapping_of(data)
    if value is not None:
        assert typed(value) == whole(data)


@PROPERTY
@given(edited())
def test_an_edited_spec_is_read_as_the_whole_reader_reads_it(text: str) -> None:
    same_as_the_whole_reader(text.encode())


@PROPERTY
@given(BLOCKS)
def test_any_blocks_are_read_as_the_whole_reader_reads_them(text: str) -> None:
    same_as_the_whole_reader(text.encode())


@PROPERTY
@given(st.text("ab:-# \n'\"[]{}&*!|>?,\\%@`0.", max_size=40) | st.text(max_size=40))
def test_any_text_is_read_as_the_whole_reader_reads_it(text: str) -> None:
    same_as_the_whole_reader(text.encode("utf-8", "surrogatepass"))


def test_thousands_of_short_texts_are_read_as_the_whole_reader_reads_them() -> None:
    """By a generator with a fixed seed: more than a property test has time for, and mostly texts near the border."""
    choose = random.Random(12)  # noqa: S311 - no secret comes of it
    taken = 0
    for _ in range(20_000):
        rows = [
            " " * choose.choice((0, 0, 0, 1, 2, 2, 2, 4, 4)) + choose.choice(("", "", "- ")) + choose.choice(SHORT)
            for _ in range(choose.randint(1, 5))
        ]
        data = "\n".join(rows).encode()
        taken += quick.mapping_of(data) is not None
        same_as_the_whole_reader(data)
    assert taken > 500


SHORT = ("a:", "b:", "a: 1", "b: x y", "c: []", "d: {}", "e: 'q'", 'f: "q" # r', "x", "1", "g: h:i", "j: k :l", "# m", "")  # fmt: skip


def findings(loaded: Loaded) -> list[tuple[str, int]]:
    return [(str(one), one.column) for one in (*loaded.problems, *loaded.warnings)]


def by_both(files: dict[str, bytes]) -> tuple[Loaded, Loaded]:
    """What both ways make of the files: with a byte order mark a file is not plain ASCII, and nothing else changes."""
    return load(files), load({path: b"\xef\xbb\xbf" + data for path, data in files.items()})


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=tries(60, soaked=150))
@given(edited(), st.none() | edited())
def test_both_ways_give_equal_specs_and_equal_findings(text: str, other: str | None) -> None:
    assume(not any((one or "").startswith("\ufeff") for one in (text, other)))
    short, long = by_both({"a.yaml": text.encode(), "b.yaml": (other or SPEC).encode()})
    assert findings(short) == findings(long)
    assert short.specs == long.specs
    for one, same in zip(short.specs, long.specs, strict=True):
        assert one.mode_line == same.mode_line
        assert typed(dict(one.body)) == typed(dict(same.body))


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=tries(30, soaked=60))
@given(specs())
def test_a_dumped_spec_is_the_same_both_ways(spec: dict[str, Any]) -> None:
    data = yaml.dump(spec, Dumper=yaml.CSafeDumper, sort_keys=False, width=1000).encode()
    same_as_the_whole_reader(data)
    short, long = by_both({"a.yaml": data})
    assert (short.specs, findings(short)) == (long.specs, findings(long))


def test_an_ordinary_spec_takes_the_short_way() -> None:
    value = quick.mapping_of(SPEC.encode())
    assert value is not None
    assert [one["projects"] for one in value["pool"]["properties"]["organizationProfile"]["organizations"]] == [
        [],
        ["web shop", "7"],
    ]


def test_lines_are_those_of_the_file() -> None:
    (spec,) = load({"a.yaml": SPEC.encode()}).specs
    assert LINES[spec.mode_line - 1] == "mode: report"
    assert (
        LINES[spec.lines(("nowhere", "access.roles.0.administrators.1", "access")) - 1].strip()
        == "- '[fabrikam]\\Builders'"
    )
    assert spec.lines(("nowhere",)) == 0


def test_lines_of_a_later_document_are_those_of_that_document() -> None:
    text = SPEC + "---\n---\n" + "\n".join(LINES[1:]).replace("pool-1", "pool-2").replace("mode: report\n", "") + "\n"
    first, second = load({"a.yaml": text.encode()}).specs
    assert (first.mode_line, second.mode_line) == (LINES.index("mode: report") + 1, 0)
    assert text.splitlines()[second.lines(("name",)) - 1] == "name: pool-2"
