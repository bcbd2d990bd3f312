"""Templates to HTML: every value is cleaned, redacted and escaped in one place, and the browser may load ours alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reconciler.documents import Json, json_text
from reconciler.documents.redaction import redact, redacted
from reconciler.plan.render import clean, effect
from reconciler.plan.wording import facet_words
from reconciler.service.http.message import HttpResponse

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Nothing of others is loaded or framed, and no other site learns what was looked at."""
LONGEST = 300
"""Characters of a text that are shown at once; the rest unfolds."""


def page(
    template: str, values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A template of `templates` as a response."""
    text = _environment().get_template(template).render(values)
    return HttpResponse(status, text.encode(), {**HEADERS, **(headers or {})}, "text/html; charset=utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, finalize=shown,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters |= {
        "moment": when,
        "value": value_text,
        "clean": clean,
        "effect": effect,
        "short": short,
        "facet": facet_words,
    }
    made.globals |= {"url": url, "LONGEST": LONGEST}
    return made


def shown(value: Any) -> Any:
    """What an expression of a template becomes before it is escaped: text of others is made harmless and redacted."""
    if value is None:
        return ""
    return value if isinstance(value, Markup | int) else clean(str(value))


def when(moment: datetime | None) -> Markup:
    """A moment for people and for programs, in UTC."""
    if moment is None:
        return Markup("never")
    stamp, text = f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}">{}</time>').format(stamp, text)


def value_text(value: Json) -> str:
    """A value of a change: a text as it is, everything else as JSON."""
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json_text(_names_redacted(redacted(value)), sort_keys=True)


def _names_redacted(value: Json) -> Json:
    """Also the names of fields: quoted within JSON, a secret in one is no longer recognised."""
    if isinstance(value, Mapping):
        return {redact(str(name)): _names_redacted(one) for name, one in value.items()}
    return [_names_redacted(one) for one in value] if isinstance(value, list | tuple) else value


def short(revision: str) -> str:
    """A commit as people name it; cleaned before it is cut, since half a secret is not recognised as one."""
    return clean(revision)[:10]


def url(*parts: str, **query: str | int) -> str:
    """A path of this site, redacted before it is encoded; empty parts of the query are left out."""
    path = "/" + "/".join(quote(redact(part), safe="") for part in parts)
    given = {name: redact(str(value)) for name, value in query.items() if value != ""}
    return f"{path}?{urlencode(given)}" if given else path
