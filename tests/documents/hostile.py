"""Texts of others that would do something where they are shown: to a pipeline, a terminal, a reader, a program."""

from __future__ import annotations

import unicodedata

_VSO = [
    "##vso[task.setvariable variable=a]b", "##vso[task.complete result=Succeeded;]", "x ##vso[task.prependpath]y",
    "##VSO[task.debug]x", "###vso[task.debug]x", "####vso[x]y", "# ##vso[x]y", "##vso[", "##vso", "a##vso[b]##vso[c]",
    "#\u200b#vso[x]y", "#\ufe0f#vso[x]y", "#\u00ad#vso[x]y", "#\u034f#vso[x]y", "##\ufe0fvso[x]y", "#\U000e0100#vso[x]y",
    "#\u180b#vso[x]y", "##[section]x", "##[error]x", "##[command]x", "##[group]x", "x##[warning]y", "## [x]", "##", "#" * 9,
    "\t##vso[x]y", "\r##vso[x]y", "\n##vso[x]y", "\x1b[0m##vso[x]y",
]  # fmt: skip
_GITHUB = [
    "::error::x", "::set-output name=a::b", "::add-mask::x", "::stop-commands::x", "::warning file=a::x", "  ::error::x",
    "\t::error::x", "\n::error::x", "\r::error::x", ":::error::x", "::", "\u00a0::error::x", "\u2028::error::x",
    "\u3000::error::x", "\ufeff::error::x", "\u200b::error::x", "x\n::error::y", "x\u0085::error::y", "x\x0b::error::y",
    "\x1c::error::x", "::ERROR::x", "::group::", "::endgroup::", "::debug::x", "::notice::x",
]  # fmt: skip
_TERMINAL = [
    "\x1b[2J", "\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "\x1bc",
    "\x1b[6n", "\x1bP1$r\x1b\\", "\x1b_x\x1b\\", "\x9b2J", "\x9d0;t\x9c", "\x90q\x9c", "\x85", "\x07", "\x08\x08\x08ok",
    "\x7f", "\x0e", "\x0f", "\0", "a\0b", "\x1b[1A\x1b[2Kin sync", "\x1b[?1049h", "\x1b[8m", "\x1b(0", "\x05", "\x1b]52;c;eA==\x07",
]  # fmt: skip
_READER = [
    "\u202egnp.exe", "a\u202eb\u202c", "\u2066x\u2069", "\u2067x", "\u2068x", "\u200f", "\u200e", "\u061c", "\u202a", "\u202b",
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\U000e0041\U000e0042", "\ue000", "\U0010ffff",
    "\u3164", "\u115f", "\uffa0", "\ufe0f", "\ufff9x\ufffay\ufffb", "\u2800", "e" + "\u0301" * 200,
]  # fmt: skip
_LINES = [
    "a\nb", "a\rb", "a\r\nb", "a\x0bb", "a\x0cb", "a\x1cb", "a\x1db", "a\x1eb", "a\x85b", "a\u2028b", "a\u2029b", "\n\n\n",
    "in sync\nout of sync", "a\n| b | c |\n|---|---|", "a\n```\nb", "a\n---\nb",
]  # fmt: skip
_SURROGATES = ["\ud800", "\udfff", "a\ud83d", "\ude00b", "\udc80\udcff", "\ud800##vso[x]y", "::\udc0a", "\ud800" * 50]
_MARKDOWN = [
    "www.evil.example", "WWW.evil.example", "see www.evil.example/x", "(www.evil.example)", "*www.evil.example*",
    "http://evil.example", "https://evil.example", "ftp://evil.example", "mailto:a@evil.example", "xmpp:a@evil.example",
    "a@evil.example", "@everybody", "@fabrikam/admins", "#1", "fabrikam/web#1", "!1", "[x](http://evil.example)",
    "![x](http://evil.example/x.png)", "<http://evil.example>", "[x]: http://evil.example", "<img src=x onerror=x>",
    "<script>x</script>", "</code></td></table>", "<!-- x", "-->", "`x`", "``` x", "|", "a | b | c", "\\|", "**x**", "__x__",
    "~~x~~", "# x", "> x", "- [x] y", "1. x", "$x$", "&#35;&#35;vso[x]", "&lt;b&gt;", "&#x202e;", ":tada:", "[[x]]", "{{x}}",
    "${{ secrets.X }}", "$(x)", "%0A::error::x", "%0D%0A##vso[x]y",
]  # fmt: skip
_LONG = ["x" * 12_000, "ä" * 12_000, "\u202e" * 12_000, "##vso[" * 2_000, "a b " * 3_000]

TEXTS = [*_VSO, *_GITHUB, *_TERMINAL, *_READER, *_LINES, *_SURROGATES, *_MARKDOWN, *_LONG]

_BREAKS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
LONGEST_LINE = 80_000
"""Several cut values in one line. JSON has values whole."""


def _folded(line: str) -> str:
    """The line as a reader sees it who passes over marks."""
    return "".join(c for c in line if not unicodedata.combining(c) and not 0xFE00 <= ord(c) < 0xFE10).lower()


def faults_in(text: str, *, longest: int = LONGEST_LINE) -> list[str]:
    """What a line of output may not hold, whichever form it has."""
    found = []
    for line in text.split("\n"):
        plain = line.isascii() and line.isprintable()
        folded = line.lower() if plain else _folded(line)
        if "##vso[" in folded or "##[" in folded:
            found.append("a command of Azure Pipelines")
        if line.lstrip().startswith("::"):
            found.append("a command of GitHub Actions")
        if not plain and any(unicodedata.category(c) in _BREAKS for c in line):
            found.append("an invisible character")
        if len(line) > longest:
            found.append(f"a line of {len(line)} characters")
    return found
