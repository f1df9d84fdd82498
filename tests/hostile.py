"""Texts that try to be more than text."""

HOSTILE = [
    "</div><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "| a | b",
    "---\nlicense: x",
    '#read("/etc/passwd")',
    '"; #panic("out") //',
    "\\",
    "{{ 7 * 7 }} {% raw %}",
    "[link](javascript:alert(1)) `code` **bold** _it_ # no heading",
    "](https://evil.example) ![x](//evil.example/x.png)",
    "&lt;b&gt; &amp; &#42;",
    "a lone \ud83d surrogate",
    "nul \x00 and bell \x07",
    "x" * 10_000,
    "word " * 2_000,
    "שלום עולם, مرحبا بالعالم",
    "turned \u202e around",
    "👩‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 𝓃",
    "日本語の名前 한국어",
    "",
]
