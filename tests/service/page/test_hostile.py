"""Text of others on the pages: names, messages, reasons and values are shown as text, harmless, and without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.documents import moment
from reconciler.engine.status import Truth
from reconciler.engine.stored import Awaited
from reconciler.survey.names import RememberedNames
from tests.documents.samples import CANARY, SECRET
from tests.service.page.kit import Dom, Files, Site, entry, texts

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "an end of an attribute": "\"'><svg onload=alert(1)> x='",
    "a template": "{{ 7 * 7 }}{% include 'base.html' %}${7*7}",
    "a comment": "<!-- --><![CDATA[ x ]]>",
    "entities": "&lt;b&gt; &amp;#x3c; &#0;",
    "right to left": "admin\u202egro.live\u2066\u2069",
    "nothing to see": "a\u200b\u2060\ufeffb\u3164c",
    "control characters": "a\x00\x1b[31mb\r\nc\u2028d",
    "lone surrogates": "a\ud800b",
    "very long": "x" * 50_000,
    "long and many": "ﷺ" * 5_000,
    "a command of a pipeline": "##vso[task.setvariable variable=x]y",
    "a URL with a script": "javascript:alert(1)",
}


def fill(site: Site, text: str) -> None:
    """This text in every field that a page shows and that others can write."""
    safe = text.encode("utf-8", "replace").decode()[:500]
    awaits, names = {safe: Awaited(site.clock.now(), 1)}, RememberedNames(projects={f"fabrikam-prime/{safe}": "id"})
    site.status("build-pool", Truth.FALSE, "OutOfSync", safe, moving="Progressing", awaited=awaits, remembered=names, error=safe, path=safe, attempts=1, attempted=safe, applied=safe)  # fmt: skip
    site.files.texts["broken"] = f"name: {safe!r}\n"
    change = {
        "kind": text, "subject": text, "action": text, "before": text, "after": {text: [text]}, "risk": text,
        "route": text, "note": text, "target": {"organization": text, "project": text},
        "details": [{"path": text, "before": text, "after": [text], "note": text}],
    }  # fmt: skip
    site.plans = {
        "state": text, "summary": text, "hash": text, "notApplied": [text], "changes": [change, {**change, "details": []}], "following": [change],
        "refusals": [{"change": change, "rule": text, "message": text}],
        "gaps": [{"facet": text, "subject": text, "message": text}],
    }  # fmt: skip
    more: dict[str, Any] = dict.fromkeys(
        ("subject", "facet", "action", "risk", "trigger", "run", "commit", "file"), safe
    )
    details = [{"path": safe, "before": safe, "after": {safe: safe}}]
    place = {"organization": safe, "project": safe}
    for extra in (
        {"details": details, "actor": {"name": safe}},
        {"before": safe, "after": safe, "actor": safe, "place": place},
    ):
        site.store.record.append(
            "devops/fabrikam-prime", [{**entry(1, **more), **extra, "at": moment(site.clock.now())}]
        )
    site.pictures.forget()


def pages(site: Site) -> list[bytes]:
    """Every page, and what its buttons show."""
    from reconciler.service.http.message import HttpRequest  # noqa: PLC0415 - here alone
    from reconciler.service.page.actions import plan  # noqa: PLC0415

    paths = (
        "/",
        "/?part=live",
        "/organizations/fabrikam-prime",
        "/pools/build-pool",
        "/pools/build-pool?organization=fabrikam-prime",
    )
    whole = HttpRequest(
        "POST", "/pools/build-pool/plan", {"name": "build-pool"}, headers={"sec-fetch-site": "same-origin"}
    )
    return [*(site.get(path).content() for path in paths), plan(site.context(), site.picture(), whole).content()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, Files(texts("build-pool")))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_of_others_adds_no_element_and_no_attribute(tmp_path: Path, text: str) -> None:
    plain, hostile = Site(tmp_path / "a", Files(texts("build-pool"))), Site(tmp_path / "b", Files(texts("build-pool")))
    fill(plain, "a word")
    fill(hostile, text)

    for expected, found in zip(pages(plain), pages(hostile), strict=True):
        html = found.decode("utf-8")
        dom = Dom(html)
        kinds = {(one.tag, *sorted(one.attributes)) for one in dom.elements}
        expected_kinds = {(one.tag, *sorted(one.attributes)) for one in Dom(expected.decode()).elements}
        assert dom.problems == []
        assert kinds - {("details",), ("summary",), ("pre",), ("span", "class")} <= expected_kinds
        assert len(dom.all("script")) <= 1
        assert not any(
            "javascript:" in value
            for one in dom.elements
            for name, value in one.attributes.items()
            if name in ("href", "src")
        )
        assert not [char for char in html if char in "\u202e\u2066\u2069\u200b\u2060\ufeff\u2028\x00\x1b\r"]
        assert len(found) < 3_000_000


@pytest.mark.parametrize(("what", "text", "leaves"), SECRET, ids=[what for what, _, _ in SECRET])
def test_a_secret_in_any_field_is_not_shown(site: Site, what: str, text: str, leaves: str) -> None:
    fill(site, text)

    for found in pages(site):
        assert CANARY.encode() not in found
        assert b"OmM0bmFyWQ" not in found


def test_a_search_for_markup_is_shown_as_text(site: Site) -> None:
    dom = site.dom("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")

    assert [one.attributes["value"] for one in dom.all("input", name="q")] == ['"><script>alert(1)</script>']
    assert len(dom.all("script")) == 1
