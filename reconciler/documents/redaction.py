"""Masks secrets in texts that leave the process: errors, logs, telemetry, plans, state, command line and HTTP.

This is the only place that decides what a secret looks like. `ReconcilerError` redacts its message, and each output
redacts again what it writes, so a text passes here at least once. Redacting a redacted text changes nothing.

A value is recognised by what stands around it (an `Authorization` header, `AccountKey=`, a URL's user or query) or by
its own form (a JSON web token, a GitHub token, a private key, a long random run). Ids, commit hashes, paths, names and
prose stay as they are. Forms of tokens: GitHub "Token expiration and revocation"; Microsoft Learn "Use personal access
tokens" (84 characters with the signature AZDO); Purview "Sensitive information types" for Azure keys and secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from urllib.parse import quote

from reconciler.documents import Json

MASK = "***"
LIMIT = 400
"""Characters of a service's message that `oneline` keeps."""

_HARMLESS_PARAMETERS = frozenset({"api-version", "$top", "$expand", "queryorder", "view", "tab", "path"})
"""Parameters of a URL whose values are shown; every other value may grant something."""

_SECRET_NAME = re.compile(
    r"(?:pass(?:word|wd|phrase)|secret|token|client_assertion|signature"
    r"|(?:account|access|api|app|functions?|host|master|private|primary|secondary|subscription|storage|instrumentation"
    r"|encryption|signing|client)[-_]?key"
    r"|(?<![a-z0-9])(?:sig|pwd|pat))(?:_\d)?$",
    re.IGNORECASE,
)
"""The end of a name whose value is a secret: ``RECONCILER_GITHUB_SECRET_2``, ``AccountKey``."""
_LONGEST_END = 40
"""Characters of a name that decide, so that no long text of a stranger is remembered."""
_SHORT_NAMES = frozenset({"code", "key"})
"""Names of a secret only before an equals sign, and not before a small number: ``exit code=2``."""
_NAME = re.compile(r"""(?<![\w-])([\w-]++)(["']?\s*[=:]\s*)""")
_VALUE = re.compile(r"""(["'])((?:(?!\1)[^\r\n])*)\1|[^\s&;,"'<>)\]}]+""")
_LONGEST_WORD = 1000
"""No word is longer. What is longer behind the name of a secret is masked unseen: no part is looked at twice."""
_WEBHOOKS = (
    r"hooks\.slack\.com|hooks\.zapier\.com|[\w.-]+\.webhook\.office\.com|outlook\.office(?:365)?\.com/webhook\w*"
    r"|(?:[\w-]+\.)?discord(?:app)?\.com/api/webhooks"
)
_KEY_HEADERS = (
    r"x-functions-key|x-reconciler-secret|ocp-apim-subscription-key|x-api-key|api-key|aeg-sas-(?:key|token)"
    r"|x-ms-token(?:(?!\bx-ms-token)[\w-])*+"
)
_TOKENS = (
    r"\beyJ[\w-]+(?:\.[\w-]+)+\.?|\beyJ[\w-]{12,}"
    r"|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bxox[abposr]-[\w-]{10,}"
    r"|\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b|\b(?=[a-z]*[2-7])[a-z2-7]{52}\b"
    r"|(?<![\w~.-])[\w~.-]{0,3}\dQ~[\w~.-]{20,}|(?<![\w-])[\w-]{40,}AzFu[\w-]{4,}={0,2}"
)
_SCHEMES = r"bearer|basic|digest|negotiate|sharedkey(?:lite)?|sharedaccesssignature|token"
_PROSE = r"(?!(?:auth\w*|tokens?|credentials?|headers?|scheme|realm\S*|and|or|of|is|was|are|with|for|in|from|to|as)\b)"

_Replacement = str | Callable[[re.Match[str]], str]

_RULES: tuple[tuple[str, str, _Replacement], ...] = (
    # (text without which the pattern cannot match, pattern, what stands in its place)
    # A text of a megabyte may come from a stranger: what may be long is matched where it begins alone, and the rules of
    # URLs match what holds no secret as well, so that no part of a text is looked at from each place before it.
    # A private key, to its end or to the end of the text.
    ("-----BEGIN", r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", MASK),
    # User and password of a URL in any scheme; the password may hold a slash where the colon begins no port.
    (
        "://",
        (
            r"""(?i)\b([a-z][a-z0-9+.-]{0,30}://)(?:[^\s/'"<>]*(@)|[^\s/@:]+:(?!\d+(?:[/?#\s]|$))"""
            r"""(?:[^\s@'"<>]*+(@)|[^\s@'"<>]*(?=\b[a-z][a-z0-9+.-]{0,30}://)))"""
        ),
        lambda found: f"{found[1]}{MASK}@" if found[2] or found[3] else found[0],
    ),
    # Webhooks whose path is the secret.
    (
        "://",
        rf"""(?i)(https://(?:{_WEBHOOKS})/)[^\s'"<>]+""",
        rf"\1{MASK}",
    ),
    # The query of a URL, parameter by parameter.
    (
        "://",
        r"""(?i)(\b[a-z][a-z0-9+.-]{0,30}://[^\s?'"<>]*+)(?:\?([^\s'"<>#]+))?""",
        lambda found: f"{found[1]}?{'&'.join(map(_parameter, found[2].split('&')))}" if found[2] else found[0],
    ),
    # Headers that carry a credential.
    ("", rf"""(?i)\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)((?:{_SCHEMES})\s+)?[^\s"',;]+""", rf"\1\2{MASK}"),
    (
        "",
        rf"""(?i)\b((?:{_KEY_HEADERS})["']?\s*[:=]\s*["']?)[^\s"',;]+""",
        rf"\1{MASK}",
    ),
    ("", r"""(?i)\b((?:set-)?cookie["']?\s*[:=]\s*["']?)[^\r\n"']+""", rf"\1{MASK}"),
    # A scheme and its credential without the header's name. "Basic" is also the name of an access level.
    (" ", rf"""(?i)\b(bearer|sharedkey(?:lite)?|sharedaccesssignature)\s+{_PROSE}[^\s"',;]+""", rf"\1 {MASK}"),
    (" ", r"\b((?i:basic)) +(?=[A-Za-z0-9+/]*(?:[0-9+/=]|[a-z][A-Z]))[A-Za-z0-9+/]{8,}={0,2}", rf"\1 {MASK}"),
    # Tokens by their own form: JWT, GitHub, GitLab, Slack, Azure DevOps (new, old), Entra client secret, Functions key.
    (
        "",
        _TOKENS,
        MASK,
    ),
    # Long random runs: base64 with padding, and letters mixed with digits; commit and plan hashes are hexadecimal.
    ("=", r"(?<![\w/+-])[A-Za-z0-9+][A-Za-z0-9+/]{39,}={1,2}", MASK),
    ("", r"\b(?![0-9a-fA-F]+\b)(?=\d*(?:[A-Za-z_]+\d+){4})\w{40,}", MASK),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with every secret masked; `secrets` are known values, masked wherever they occur."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in {secret, quote(secret, safe="")}:
            text = text.replace(form, MASK)
    for needle, pattern, replacement in _compiled():
        if needle in text:
            text = pattern.sub(replacement, text)
    return _without_named_values(text)


def redacted(document: Json, secrets: Iterable[str] = ()) -> Json:
    """The JSON value with every text in it redacted; a text under the name of a secret is masked whole."""
    known = tuple(secrets)
    if isinstance(document, str):
        return redact(document, known)
    if isinstance(document, Mapping):
        return {
            name: MASK if isinstance(value, str) and value and _named_secret(name) else redacted(value, known)
            for name, value in document.items()
        }
    return [redacted(value, known) for value in document] if isinstance(document, list | tuple) else document


def oneline(text: object, *, secrets: Iterable[str] = (), limit: int = LIMIT) -> str:
    """A service's text on one line, redacted, and cut to at most `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in redact(str(text), secrets)).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


@cache
def _compiled() -> tuple[tuple[str, re.Pattern[str], _Replacement], ...]:
    """Compiled at the first use, not at import: a command starts sooner."""
    return tuple((needle, re.compile(pattern), replacement) for needle, pattern, replacement in _RULES)


def _without_named_values(text: str) -> str:
    """``name=value``, ``"name": "value"``, and ``name: value`` where the value is no word."""
    parts, done = [], 0
    for found in _NAME.finditer(text):
        if found.start() < done or not _may_grant(found[1], found[2]):
            continue
        if (value := _VALUE.match(text, found.end())) and _grants(found[1], found[2], value):
            quoted = value[1] or ""
            parts += [text[done : found.end()], quoted, MASK, quoted]
            done = value.end()
    return "".join((*parts, text[done:])) if parts else text


def _may_grant(name: str, separator: str) -> bool:
    """Whether some value behind this name is a secret: few names are, and their values alone are looked at."""
    return _named_secret(name) or ("=" in separator and name.lower() in _SHORT_NAMES)


def _grants(name: str, separator: str, value: re.Match[str]) -> bool:
    """Whether this value behind such a name is a secret."""
    if "=" in separator:
        small = value[0].isdecimal() and len(value[0]) <= 5  # noqa: PLR2004 - longer than any status or exit code
        return _named_secret(name) or not small
    if value[1]:
        return separator[0] in "\"'"
    word = value[0]
    if len(word) > _LONGEST_WORD:
        return True
    return len(word) >= 8 and any(map(str.isdigit, word)) and any(map(str.isalpha, word)) and "://" not in word  # noqa: PLR2004 - no key is shorter


def _named_secret(name: str) -> bool:
    return _ends_as_secret(name[-_LONGEST_END:])


@lru_cache(maxsize=1024)
def _ends_as_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _parameter(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return MASK if name else ""
    return pair if name.lower() in _HARMLESS_PARAMETERS or not value else f"{name}={MASK}"
