"""How problems are said: short, on one line, without secrets, with the name that was meant."""

from __future__ import annotations

import pytest

from reconciler.spec.problem import SHOWN, Problem, listing, one_line, secret_like, show, spell


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst", "a personal access token, older form"),
        ("8Q~dK2pXv.nT7Lr0aBcDeFgHiJkLmNoPqRsTuVwX", "a client secret"),
        ("eyJhbGciOiJSUzI1NiJ9.e30.x", "a JSON web token"),
        ("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==", "a storage key"),
        ("https://ann:hunter2@dev.azure.com/fabrikam", "a password in a URL"),
        ("https://x.blob.core.windows.net/s?sv=2024&sig=x", "a signed URL"),
        ("AccountKey=x", "a connection string"),
        ("password: x", "a password by its name"),
    ],
)
def test_what_may_be_a_secret_is_not_shown(text: str, reason: str) -> None:
    assert secret_like(text), reason
    assert show(text) == "(not shown, it looks like a secret)"


@pytest.mark.parametrize(
    "text",
    [
        "fabrikam-managed-pool",
        "11111111-2222-3333-4444-555555555555",
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/x",
        "https://fabrikam-build.vault.azure.net/secrets/signing",
        "provisioningScriptManagedIdentityClientId",
        "[fabrikam-prime]\\Platform",
        "keyboard",
    ],
)
def test_names_and_ids_are_shown(text: str) -> None:
    assert not secret_like(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        ({"a": 1}, "a mapping"),
        ([1], "a list"),
        ("", "an empty text"),
        ("a\nb\x1b", "a\\nb\\x1b"),
        ("x" * 100, "x" * (SHOWN - 1) + "…"),
    ],
)
def test_values_are_shown_short_and_on_one_line(value: object, shown: str) -> None:
    assert show(value) == shown


def test_a_problem_is_one_line_with_file_line_and_field() -> None:
    assert str(Problem("a/b.yaml", 3, "pool.tags", "is a list")) == "a/b.yaml:3: pool.tags: is a list"
    assert str(Problem("a.yaml", 1, "", "is not YAML")) == "a.yaml:1: is not YAML"
    assert "\n" not in str(Problem("a\n.yaml", 1, "", "x")), "file names come from git and may hold anything"


def test_problems_sort_by_file_and_line() -> None:
    one, two, three = Problem("a", 2, "x", "m", 9), Problem("a", 10, "b", "m", 1), Problem("b", 1, "", "m")
    assert sorted([three, two, one]) == [one, two, three]


def test_a_path_is_spelt_as_people_write_it() -> None:
    assert spell(("pool", "images", 0, "sku")) == "pool.images[0].sku"
    assert spell((0, "a")) == "[0].a"
    assert spell(()) == ""


def test_names_are_listed_in_a_sentence() -> None:
    assert (listing("a"), listing("ab"), listing("abc")) == ("a", "a or b", "a, b or c")


def test_unprintable_text_is_spelt_out() -> None:
    assert one_line("a\u202eb") == "a\\u202eb"


def test_a_long_list_of_names_is_cut() -> None:
    assert listing("abcdefghijk") == "a, b, c, d, e, f, g, h, i, j, …"
