"""The pages in a real browser, and what a hostile repo can't do to them."""

import ast
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx2
import pytest
import yaml
from filelock import FileLock
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp

from hubtweets.cli.hub import find_choice
from hubtweets.hub import local
from hubtweets.hub.api import weights
from hubtweets.hub.api.commits import validate_path
from hubtweets.hub.errors import HubError
from hubtweets.hub.pages import cards, layout, samples, sanitize, widget
from hubtweets.hub.server import create_app
from hubtweets.hub.storage import pull_requests
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage
from hubtweets.record import serialization
from hubtweets.record.samples import Overlap, Sample
from tests.browser import PageLog, get_page_width, start_chromium
from tests.hostile import HOSTILE
from tests.served import Served

OWN = "/huggingtweets/lyons____"
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REL = ' rel="noopener noreferrer"'
ANCHOR = f'<a class="anchor" href="#{{0}}"{REL}></a>'
# what stands in a card, and what the page gets
LAID_OUT = [
    ("<script>alert(1)</script>hello", "hello"),
    ("<img src=x: onerror=alert(1)>", "<img>"),
    ('<b onclick="alert(1)" class="head" id="prompt">x</b>', "<p><b>x</b></p>\n"),
    (
        '<a href="javascript:alert(1)">x</a><a href="data:text/html,x">y</a>',
        f"<p><a{REL}>x</a><a{REL}>y</a></p>\n",
    ),
    ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    (
        '<div style="position:fixed;z-index:9;transform:none;color:red;opacity:0">a</div>',
        '<div style="color:red">a</div>',
    ),
    ("<iframe src=https://x></iframe><form action=/x><input><button>b</button></form>", "b"),
    ("<svg><script>1</script></svg><math><mtext></math>", "<p></p>\n"),
    ("<base href=//x><link rel=stylesheet href=//x><meta http-equiv=refresh content=0>", ""),
    (
        "<style>body { display: none }</style><object data=x></object>"
        "<embed src=x><video src=x></video>",
        "",
    ),
    (
        "| a |\n|---|\n| 1 |",
        "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n"
        "<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>\n",
    ),
    (
        f"![a](http://127.0.0.1:8086{OWN}/resolve/main/a.png)",
        f'<p><img src="{OWN}/resolve/main/a.png" alt="a"></p>\n',
    ),
    (
        f"![a](https://huggingface.co{OWN}/resolve/v1/a.png)",
        f'<p><img src="{OWN}/resolve/v1/a.png" alt="a"></p>\n',
    ),
    (
        f"`https://huggingface.co{OWN}/resolve/v1/a.png`",
        f"<p><code>https://huggingface.co{OWN}/resolve/v1/a.png</code></p>\n",
    ),
    ("![a](loss.png)", f'<p><img src="{OWN}/resolve/main/loss.png" alt="a"></p>\n'),
    ("[b](./hubtweets.json)", f'<p><a href="{OWN}/blob/main/./hubtweets.json"{REL}>b</a></p>\n'),
    (
        "[a](#how) [b](/datasets/a/b)",
        f'<p><a href="#how"{REL}>a</a> <a href="/datasets/a/b"{REL}>b</a></p>\n',
    ),
    (
        "# A `b` & c\n# A b c",
        '<h1 id="a-b--c">A <code>b</code> &amp; c'
        + ANCHOR.format("a-b--c")
        + '</h1>\n<h1 id="a-b-c">A b c'
        + ANCHOR.format("a-b-c")
        + "</h1>\n",
    ),
    (
        "#### é\n#### é",
        '<h4 id="é">é'
        + ANCHOR.format("é")
        + '</h4>\n<h4 id="é-1">é'
        + ANCHOR.format("é-1")
        + "</h4>\n",
    ),
    (
        "```python\nimport x < 1\n```",
        '<pre class="code"><code><span class="kn">import</span><span class="w"> </span>'
        '<span class="nn">x</span> <span class="o">&lt;</span> <span class="mi">1</span>\n'
        "</code></pre>\n",
    ),
    ("```brainfuck x\n<b>\n```", '<pre class="code"><code>&lt;b&gt;\n</code></pre>\n'),
    (
        """<img alt='<pre><code class="language-python">x</code></pre><h2>y</h2>'>""",
        '<img alt="&lt;pre&gt;&lt;code class=&quot;language-python&quot;&gt;x&lt;/code&gt;'
        '&lt;/pre&gt;&lt;h2&gt;y&lt;/h2&gt;">',
    ),
    ("<h2 id=a-b>x</h2><h2 id=pick:thumb>y</h2>", '<h2 id="a-b">x</h2><h2>y</h2>'),
    (
        "<details open class=change><summary onclick=x>a</summary>\n\n*b*\n</details>",
        '<details open=""><summary>a</summary>\n<p><em>b</em></p>\n</details>',
    ),
    ("[c](https://x.example/)", f'<p><a href="https://x.example/"{REL}>c</a></p>\n'),
    (
        '<div style="width:132px;'
        f"background-image:url('https://x{OWN}/resolve/main/a.png')\"></div>",
        '<div style="width:132px;'
        f'background-image:url(&quot;{OWN}/resolve/main/a.png&quot;)"></div>',
    ),
]


@pytest.mark.parametrize(("text", "expected"), LAID_OUT)
def test_a_card_is_laid_out_without_what_could_run(text: str, expected: str) -> None:
    assert sanitize.render_card(text, OWN) == sanitize.RenderedCard(expected)


@pytest.mark.parametrize(
    ("text", "intro", "rest"),
    [
        ("a\n## b\n## c", "<p>a</p>", ["b", "c"]),
        ("<div>\n\na\n\n## b", "<div>\n<p>a</p>\n</div>", ["b"]),
        ("> ## a\n\nb", "", ["a", "<p>b</p>"]),
        ("a\n# b", "", ["<p>a</p>", "b"]),
        ("", "", [""]),
    ],
)
def test_what_comes_before_the_first_section_is_set_apart(
    text: str, intro: str, rest: list[str]
) -> None:
    shown = sanitize.render_card(text, OWN)
    assert shown.intro.strip() == intro and [part for part in rest if part not in shown.html] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("![a](https://x.example/a.png) ![b](//x.example/b.png) ![c](a.png)", 2),
        ("<img src='/\\x.example/a.png'> <img src=' \thttp://x.example/a.png'>", 2),
        ("<p style=\"background: url('https://x.example/a.png'), url(//x.example/b)\">a</p>", 2),
        (f"![a](https://x.example{OWN}/resolve/main/a.png)", 0),
    ],
)
def test_pictures_that_lie_elsewhere_are_counted(text: str, count: int) -> None:
    assert sanitize.render_card(text, OWN).external_images == count


@pytest.mark.parametrize(
    "piece", ["<div>", "<div>\n\n", "<b class=x><i>", "<a><b></a>", "<!-- --><div><!-- </div> -->"]
)
def test_a_card_that_is_nested_too_deep_is_shown_as_it_is(piece: str) -> None:
    text = piece * 20_000
    shown = sanitize.render_card(text, OWN)
    assert (
        shown.html.startswith("<pre>&lt;") and "<div>" not in shown.html and not shown.is_complete
    )


def test_a_long_card_is_cut() -> None:
    shown = sanitize.render_card("word " * 100_000, OWN)
    assert len(shown.html) < 1.1 * sanitize.MAX_CARD_CHARS and not shown.is_complete


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        ("widget: [{text: a, output: {text: a b}}]", [("a", "a", "a b")]),
        ("widget: [{text: a, example_title: T}]", [("T", "a", "")]),
        (
            "widget: [{text: a, example_title: [T], output: [x]}, {text: b, output: {text: 3}}]",
            [("a", "a", ""), ("b", "b", "")],
        ),
        ("widget: [a, 3, null, {}, {text: 3}, {text: {a: b}}, {messages: []}]", []),
        ("widget: {text: a}", []),
        ("widget: a", []),
        (f"widget: [{'{text: a}, ' * 25}]", [("a", "a", "")] * 20),
    ],
)
def test_a_widgets_prompts_are_read_from_untrusted_yaml(
    front_matter: str, expected: list[tuple[str, str, str]]
) -> None:
    assert widget.parse_examples(yaml.safe_load(front_matter)) == expected


def make_record(*samples: object, picked: object = ()) -> str:
    return json.dumps({"samples": {"samples": samples, "picked": picked}})


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            make_record(
                {"prompt": "a", "text": "a b"}, {"text": None}, {"text": "c"}, picked=[3, 9]
            ),
            [(1, "a b", False), (3, "c", True)],
        ),
        (make_record({"text": "x" * 10_000}), [(1, "x" * 2_000, False)]),
        (
            make_record(*[{"text": "a"}] * 1_200, picked=3),
            [(number, "a", False) for number in range(1, 1_001)],
        ),
        (make_record("a", 3, None, [], {"text": ["a"]}, {"texts": "a"}), []),
        ('{"samples": {"samples": {"text": "a"}, "picked": [[1], {}]}}', []),
        ('{"samples": [{"text": "a"}]}', []),
        ('{"samples": null}', []),
        ("[]", []),
        ("{", []),
        ("\udcff", []),
        ("[" * 100_000, []),
        ("9" * 10_000, []),
        (make_record({"text": "a"}) + " " * samples.MAX_RECORD_BYTES, []),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_samples_are_read_from_an_untrusted_record(
    tmp_path: Path, record: str, expected: list[tuple[int, str, bool]]
) -> None:
    storage = Storage(tmp_path)
    repo = storage.create_repo(
        "models", "a/b", False, "a", {"hubtweets.json": record.encode("utf-8", "surrogateescape")}
    )
    assert samples.find_samples(storage, storage.resolve(repo, "main")) == expected


def make_weights(**counts: int) -> bytes:
    """Return a safetensors file with one tensor of zeros for each type."""
    sizes = {"F32": 4, "BF16": 2, "I64": 8}
    header, end = {}, 0
    for name, count in counts.items():
        start, end = end, end + count * sizes[name]
        header[name] = {"dtype": name, "shape": [count, 1], "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"model.safetensors": make_weights(F32=2, BF16=3)}, (5, ("BF16", "F32"))),
        (
            {
                "model-1.safetensors": make_weights(F32=2),
                "model-2.safetensors": make_weights(F32=3, I64=1),
                "old/model.safetensors": make_weights(F32=9),
            },
            (6, ("F32", "I64")),
        ),
        ({"model.safetensors": make_weights(F32=2)[:-1]}, None),  # shorter than its header says
        ({"model.safetensors": b"\xff" * 7 + b"\x7f"}, None),
        ({"model.safetensors": (10**9).to_bytes(8, "little") + b"{}"}, None),
        ({"model.safetensors": b""}, None),
        ({"model.safetensors": b"\2" + bytes(7) + b"{}"}, None),  # no tensors
        ({"config.json": b"{}"}, None),
    ],
)
def test_parameters_are_counted_from_the_headers_of_untrusted_weights(
    tmp_path: Path, files: dict[str, bytes], expected: tuple[int, tuple[str, ...]] | None
) -> None:
    storage = Storage(tmp_path)
    repo = storage.create_repo("models", "a/b", False, "a", files)
    assert weights.describe_weights(storage, storage.resolve(repo, "main")) == expected


def test_a_header_that_is_too_long_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").write_bytes(make_weights(F32=2))
    monkeypatch.setattr(weights, "MAX_HEADER_BYTES", 20)
    assert weights.count_by_type(tmp_path / "weights").total() == 0


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"temperature": 0.7, "max_new_tokens": 32}, (0.7, 32)),
        ({"temperature": 0, "max_new_tokens": 10**9}, (1, 160)),
        ({"temperature": "1", "max_new_tokens": True}, (1, 160)),
        ({"temperature": float("nan"), "max_new_tokens": None}, (1, 160)),
        ([], (1, 160)),
    ],
)
def test_the_widget_begins_with_the_models_own_settings(
    tmp_path: Path, config: object, expected: tuple[float, float]
) -> None:
    storage = Storage(tmp_path)
    content = json.dumps(config).encode()
    repo = storage.create_repo("models", "a/b", False, "a", {"generation_config.json": content})
    found = widget.read_settings(storage, storage.resolve(repo, "main"))
    assert (found["temperature"], found["max_new_tokens"]) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0.05),
        ("temperature", 2.1),
        ("temperature", "1"),
        ("temperature", True),
        ("temperature", float("nan")),
        ("max_new_tokens", 15),
        ("max_new_tokens", 513),
        ("max_new_tokens", 10**18),
        ("max_new_tokens", None),
        ("max_new_tokens", {}),
    ],
)
def test_settings_out_of_their_bounds_are_refused(name: str, value: object) -> None:
    with pytest.raises(HubError, match=f"{name} must be a number from [0-9.]+ to [0-9]+$"):
        widget.parse_settings({"prompt": "x", name: value})


def test_a_card_follows_the_address_that_it_is_served_from(
    hub: tuple[str, str], tmp_path: Path
) -> None:
    old, path = "http://10.0.0.1:80", "/huggingtweets/moved"
    text = (
        f"---\nthumbnail: {old}{path}/resolve/main/a%20b.png\n---\n"
        f"[a]({old}{path}/discussions) [b](https://huggingface.co{path}) [c]({old}80/) "
        f"`--hub {old}` [d](https://x.example/?u=http%3A%2F%2F10.0.0.1%3A80{path})\n\n## Next"
    )
    files = {"README.md": text.encode(), "a%20b.png": b"", "model.safetensors": b""}
    storage = Storage(tmp_path / "hub")
    storage.create_repo("models", path[1:], False, "huggingtweets", files)
    page = httpx2.get(hub[0] + path).text
    quoted = hub[0].replace(":", "%3A").replace("/", "%2F")
    for part in (
        f'<a href="{hub[0]}{path}/discussions"',
        f'<a href="https://huggingface.co{path}"',
        f'<a href="{old}80/"',
        f"<code>--hub {hub[0]}</code>",
        f'<a href="https://x.example/?u={quoted}{path}"',
        f'<meta property="og:image" content="{hub[0]}{path}/resolve/main/a%2520b.png">',
        f'<img class="file" src="{path}/resolve/main/a%2520b.png"',
        'export</span><span class="w"> </span><span class="nv">HF_ENDPOINT</span>',
        "<dt>Files</dt>",
    ):
        assert part in page, part
    assert old in httpx2.get(f"{hub[0]}{path}/resolve/main/README.md").text
    assert httpx2.get(f"{hub[0]}{path}/resolve/main/a%2520b.png").status_code == 200


@pytest.mark.parametrize("prompt", HOSTILE)
def test_the_snippet_is_python_whatever_the_prompt_is(prompt: str) -> None:
    code = cards.format_pipeline("a/b", prompt)
    texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    assert prompt[: cards.MAX_SNIPPET_PROMPT_CHARS] in texts


CARD = """---
language: [en, 3]
license: mit
base_model: [huggingtweets/posts, "javascript:x/y", gpt2]
datasets: huggingtweets/posts
tags: [<b>]
---
# Hello
"""
GATED_CARD = """---
thumbnail: http://127.0.0.1:8086/huggingtweets/gated/resolve/main/a.png
---
# Knock
"""
FILES = {
    "README.md": CARD.encode(),
    "hubtweets.json": make_record({"text": "a recorded sample"}).encode(),
    "a b/c%d.txt": b"<b>text</b>",
    "a.png": b"\x89PNG",
    "é.txt": "é".encode(),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Storage]]:
    """A Hub with a repo of each kind, a gated and a private one.

    The model has a branch, a pull request and a discussion.
    """
    storage = Storage(tmp_path_factory.mktemp("filled") / "hub")
    for kind in ("models", "datasets", "spaces"):
        repo = storage.create_repo(kind, "huggingtweets/posts", False, "huggingtweets", FILES)
        storage.create_ref(repo, "branches", "feature/x", "main")
        base = storage.resolve(repo, "main")
        weights = storage.blobs.get_large(storage.blobs.add([b"\0" * 1500])[0])
        storage.create_commit(
            repo,
            "main",
            lambda files, weights=weights: {**files, "weights.bin": weights},  # type: ignore[misc]
            "Add weights",
            "",
            "huggingtweets",
        )
        change_card(storage, repo, CARD.replace("Hello", "Good bye"))
        made = storage.write_commit(
            repo,
            base.id,
            "Greet",
            "",
            "huggingtweets",
            {**base.files, "new.txt": storage.blobs.add_regular(b"1\n")},
        )
        pull_requests.open_discussion(storage, repo, "Greet", "please", "huggingtweets", made, base)
        pull_requests.open_discussion(storage, repo, "Why?", "", "huggingtweets", None, None)
    gated = storage.create_repo(
        "models",
        "huggingtweets/gated",
        False,
        "huggingtweets",
        {**FILES, "README.md": GATED_CARD.encode(), "avatar.png": FILES["a.png"]},
    )
    storage.change_settings(gated, None, "auto")
    storage.create_repo("models", "huggingtweets/secret", True, "huggingtweets", FILES)
    with local.serve_in_thread(storage) as endpoint:
        yield endpoint, storage


def change_card(storage: Storage, repo: Repo, text: str, title: str = "Change the card") -> None:
    change_file(storage, repo, "README.md", text, title)


def change_file(storage: Storage, repo: Repo, path: str, text: str, title: str = "Change") -> None:
    storage.create_commit(
        repo,
        "main",
        lambda files: {**files, path: storage.blobs.add_regular(text.encode())},
        title,
        "",
        "huggingtweets",
    )


SHOWN: list[tuple[str, int, list[str]]] = [
    (
        "",
        200,
        [
            '<h1 id="good-bye">Good bye<a',
            "<small>license</small> mit",
            "<small>language</small> en",
            "&lt;b&gt;",
            'href="https://huggingface.co/gpt2"',
        ],
    ),
    ("?images=remote", 200, ['<h1 id="good-bye">Good bye<a']),
    (
        "/tree/main",
        200,
        [
            *("a b</bdi>/</a>", "a.png", "1.5 kB", '<span class="chip">LFS</span>'),
            *("<bdi>initial commit</bdi>", "<bdi>Add weights</bdi>", "<bdi>Change the card</bdi>"),
        ],
    ),
    ("/tree/feature%2Fx/a%20b", 200, ["c%d.txt", "11 bytes", "/blob/feature%2Fx/a%20b/c%25d.txt"]),
    ("/blob/main/a%20b/c%25d.txt", 200, ["<code>&lt;b&gt;text&lt;/b&gt;\n</code></pre>"]),
    ("/blob/main/%C3%A9.txt", 200, ["<code>é\n</code></pre>"]),
    ("/blob/main/hubtweets.json", 200, ['<span class="nt">']),
    ("/blob/main/README.md", 200, ['<h1 id="good-bye">Good bye<a', 'href="?view=code"']),
    ("/blob/main/README.md?view=code", 200, ["license: mit", "# Good bye"]),
    ("/blob/feature%2Fx/a.png", 200, ["/resolve/feature%2Fx/a.png"]),
    ("/blob/main/weights.bin", 200, ["not text", "SHA-256", "/resolve/main/weights.bin"]),
    ("/commits/main", 200, ["Change the card", "initial commit"]),
    ("/commits/main?p=1", 200, ["Page 2"]),
    (
        "/commit/main",
        200,
        [
            '<pre class="diff"><span class="place">@@',
            '<span class="removed">-# Hello</span><span class="added">+# Good bye</span>',
            "1 file changed",
        ],
    ),
    (
        "/commit/feature%2Fx",
        200,
        [
            "initial commit",
            "6 files changed",
            '<span class="added">+&lt;b&gt;text&lt;/b&gt;</span>',
        ],
    ),
    ("/discussions", 200, ["Greet", "Pull request #1", "Discussion #2"]),
    ("/discussions/1", 200, ["Greet", "please", "new.txt", '<span class="added">+1</span>']),
    ("/discussions/2", 200, ["Why?"]),
    ("/discussions/3", 404, ["has no discussion 3"]),
    ("/discussions/x", 404, ["no discussion x"]),
    ("/tree/main/nope", 404, ["has no folder nope at main"]),
    ("/tree/nope", 404, ["Invalid rev id: nope"]),
    ("/blob/main/nope", 404, ["has no file nope at main"]),
    ("/blob/main/..%2F..%2Ftoken", 404, ["has no file ../../token"]),
    ("/commit/abcdef", 404, ["Invalid rev id: abcdef"]),
]


@pytest.mark.parametrize("kind", ["", "/datasets", "/spaces"])
def test_every_kind_of_repo_has_its_pages(filled: tuple[str, Storage], kind: str) -> None:
    for path, status, parts in SHOWN:
        answer = httpx2.get(f"{filled[0]}{kind}/huggingtweets/posts{path}")
        assert (answer.status_code, [part for part in parts if part not in answer.text]) == (
            status,
            [],
        ), path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        pictures = "img-src 'self' https: http:" if path == "?images=remote" else "img-src 'self'"
        policy = POLICY.replace("img-src 'self'", pictures)
        nonces = re.findall('<script nonce="([^"]*)">', answer.text)
        assert nonces or status != 200
        if nonces:
            policy += f"; script-src 'nonce-{nonces[0]}'"
        assert answer.headers["content-security-policy"] == policy
        assert [answer.headers[name] for name in layout.HEADERS] == list(layout.HEADERS.values())
        assert "javascript:" not in "".join(
            line for line in answer.text.splitlines() if "href=" in line
        )


OTHERS: list[tuple[str, int, list[str], list[str]]] = [
    (
        "/",
        200,
        [
            "/huggingtweets/posts",
            "/datasets/huggingtweets/posts",
            "/spaces/huggingtweets/posts",
            "/huggingtweets/gated",
        ],
        ["secret"],
    ),
    ("/huggingtweets/secret", 404, ["Repository not found"], ["Hello"]),
    ("/huggingtweets/secret/tree/main", 404, ["Repository not found"], ["a.png"]),
    ("/huggingtweets/nope", 404, ["Repository not found"], []),
    ("/huggingtweets/%3Cb%3E", 404, ["Repository not found"], ["<b>"]),
    (
        "/huggingtweets/gated",
        200,
        ['<h1 id="knock">Knock<a', "gated"],
        ["a recorded sample", "a.png", "avatar.png"],
    ),
    ("/huggingtweets/posts", 200, ["a recorded sample"], []),
    ("/huggingtweets/gated/tree/main", 200, ["a.png"], []),
    ("/huggingtweets/gated/blob/main/README.md?view=code", 200, ["# Knock"], []),
    ("/huggingtweets/gated/blob/main/a%20b/c%25d.txt", 404, ["gated"], ["text&lt;"]),
    ("/huggingtweets/gated/commit/main", 200, ["+# Knock", "c%d.txt"], ["text&lt;"]),
    ("/api/x/blob/main/a", 404, ['{"error":'], []),
    ("/?q=GATED", 200, ["/huggingtweets/gated"], ["/huggingtweets/posts"]),
    ("/?q=secret", 200, ["No repository is called", "secret"], ["/huggingtweets/secret"]),
    ("/?q=%3Cb%3E%22", 200, ["&lt;b&gt;", "&#34;"], ["<b>", '"">']),
    ("/?p=1", 200, ["Page 2", "Newer"], ["/huggingtweets/posts"]),
    ("/favicon.ico", 200, ["<svg"], []),
]


def test_what_is_hidden_stays_hidden(filled: tuple[str, Storage]) -> None:
    for path, status, parts, absent in OTHERS:
        answer = httpx2.get(filled[0] + path)
        assert (answer.status_code, [part for part in parts if part not in answer.text]) == (
            status,
            [],
        ), path
        assert [part for part in absent if part in answer.text] == [], path


def test_what_is_lost_has_a_page(hub: tuple[str, str], tmp_path: Path) -> None:
    storage = Storage(tmp_path / "hub")
    assert "Nothing here yet" in httpx2.get(hub[0]).text
    repo = storage.create_repo(
        "models",
        "huggingtweets/posts",
        False,
        "huggingtweets",
        {"README.md": b"---\na: [\n---\n# Hello"},
    )
    assert '<h1 id="hello">Hello<a' in httpx2.get(f"{hub[0]}/huggingtweets/posts").text
    change_card(storage, repo, "another")
    storage.blobs.path(storage.resolve(repo, "main").files["README.md"].sha256).unlink()
    answer = httpx2.get(f"{hub[0]}/huggingtweets/posts")
    assert (answer.status_code, "hubtweets hub --check" in answer.text) == (500, True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


def test_a_person_walks_through_a_published_bot(published: Path, browser: Browser) -> None:
    record = serialization.read_record(published / "runs" / "lyons____" / "run.json")
    assert record.samples
    with (
        local.serve_in_thread(Storage(published / "hub")) as endpoint,
        browser.new_context(
            viewport={"width": 390, "height": 844},
            permissions=["clipboard-read", "clipboard-write"],
        ) as context,
    ):
        seen, page = PageLog(context), context.new_page()
        page.goto(endpoint)
        page.get_by_role("searchbox").fill("LYONS")
        page.get_by_role("button", name="Search").click()
        expect(page.locator(".cards")).to_contain_text("Text generation")
        page.get_by_role("link", name="huggingtweets/lyons____").click()
        assert_card_is_easy_to_use(page, endpoint)
        for row in (
            "Tweets downloaded 3,086",
            "Retweets 1,225",
            "Short tweets 997",
            "Tweets kept 864",
        ):
            expect(page.get_by_role("row", name=row)).to_be_visible()
        pictures = page.locator("main img, .avatar").evaluate_all(
            "images => images.map(image => image.complete && image.naturalWidth > 0)"
        )
        assert pictures and all(pictures)

        shown = record.samples.list_picked()
        expect(page.locator(".widget details")).to_have_count(len(shown))
        expect(page.locator(".widget details p").first).to_have_text(shown[0].text or "")
        expect(page.locator(".widget details p").first).to_be_visible()
        recorded = page.locator(".widget details p").last
        expect(recorded).to_be_hidden()
        page.get_by_label("Your prompt").fill("")
        page.locator(".widget summary").last.click()
        expect(recorded).to_have_text(shown[-1].text or "")
        expect(page.get_by_label("Your prompt")).to_have_value(shown[-1].prompt)
        page.get_by_label("Your prompt").fill("My dream is")

        listed = page.locator(".samples li")
        expect(listed.first).to_be_hidden()
        page.locator(".samples summary").click()
        expect(listed).to_have_count(len(record.samples.samples))
        expect(listed.last).to_be_visible()
        assert listed.evaluate_all("items => items.map(item => item.value)") == list(
            range(1, len(record.samples.samples) + 1)
        )
        assert page.locator(".samples li.picked").evaluate_all(
            "items => items.map(item => item.value)"
        ) == list(record.samples.picked)
        expect(page.locator(".samples code")).to_have_text("hubtweets sample lyons____ --pick")
        page.get_by_label("Tokens").fill("16")
        expect(page.locator(".settings b").last).to_have_text("16")
        page.get_by_role("button", name="Generate").click()
        expect(page.get_by_role("status")).to_contain_text(
            "Generated just now on this machine, with seed", timeout=60_000
        )
        results = page.locator(".results li").all_text_contents()
        expect(page.locator(".results li").last).to_be_in_viewport()
        assert (
            len(results) == 5
            and all(text.startswith("My dream is") for text in results)
            and len(set(results)) > 1
        )
        widths = [get_page_width(page)]
        page.get_by_label("Your prompt").fill("x" * 300)
        page.get_by_role("button", name="Generate").click()
        expect(page.get_by_role("status")).to_have_text(
            "a prompt of 301 tokens is too long for this model; give 240 tokens at most"
        )

        for tab, link, expected in (
            ("Files", "hubtweets.json", '"handle": "lyons____"'),
            ("History", "Publish @lyons____", "+Built with hubtweets"),
        ):
            page.get_by_role("link", name=tab, exact=True).click()
            widths.append(get_page_width(page))
            page.locator("main").get_by_role("link", name=link).click()
            expect(page.locator("main")).to_contain_text(expected)
            widths.append(get_page_width(page))
        page.get_by_role("link", name="Pull requests").click()
        expect(page.get_by_text("No pull requests yet")).to_be_visible()
        assert widths == [390] * 5
        assert seen.faults == []
        assert {address.split("/")[2] for address in seen.requests} == {endpoint.split("/")[2]}


def assert_card_is_easy_to_use(page: Page, endpoint: str) -> None:
    """Check what is on a bot's page besides its card."""
    top = [
        page.locator(name).bounding_box() for name in (".head h1", "article >> nth=0", ".widget")
    ]
    assert [box and box["y"] for box in top] == sorted(box["y"] if box else 0 for box in top)
    shown = page.locator('img[src$="/predictions.png"]')
    expect(shown).to_have_count(1)  # on the card or beside it
    image = page.locator('meta[property="og:image"]').get_attribute("content")
    assert image == f"{endpoint}{OWN}/resolve/main/predictions.png"
    expect(page.locator(".facts")).to_contain_text("params")
    expect(page.locator(".facts")).to_contain_text("F32")
    links = page.locator("article a").evaluate_all("links => links.map(a => a.href)")
    assert f"{endpoint}{OWN}/discussions" in links
    assert [address for address in links if "8086" in address] == []  # where it was published
    page.locator(".use > summary").click()
    page.locator(".use .copied").first.hover()
    page.locator(".use .copy").first.click()
    expect(page.locator(".use .copy").first).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"export HF_ENDPOINT={endpoint}"
    page.locator(".use > summary").click()


def test_without_javascript_all_but_generating_works(
    workplace: Path, served: Served, browser: Browser
) -> None:
    path = workplace / "runs" / "lyons____" / "run.json"
    before = serialization.read_record(path).samples
    assert before and before.picked[0] == 1
    served.app = serve_with_runs(workplace)
    with browser.new_context(java_script_enabled=False) as context:
        seen, page = PageLog(context), context.new_page()
        page.goto(served.server.endpoint + OWN)
        expect(page.get_by_text("this page needs JavaScript")).to_be_visible()
        expect(page.get_by_role("button", name="Generate")).to_be_hidden()
        page.locator(".widget summary").last.click()
        expect(page.locator(".widget details p").last).to_be_visible()
        page.locator(".use > summary").click()
        expect(page.locator(".use pre").first).to_be_visible()
        expect(page.locator(".copy").first).to_be_hidden()
        page.locator(".samples summary").click()
        expect(page.locator(".samples li").first).to_be_visible()

        thumb = page.get_by_role("button", name="Show sample 1 on the card", exact=True)
        expect(thumb).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".samples code")).to_have_count(0)
        for picked, pressed in ((before.picked[1:], "false"), ((*before.picked[1:], 1), "true")):
            thumb.click()
            expect(thumb).to_be_in_viewport()
            expect(thumb).to_have_attribute("aria-pressed", pressed)
            assert serialization.read_record(path).samples == replace(
                before, picked=picked, chosen=True
            )
            if pressed == "false":
                expect(page.locator(".samples code")).to_have_text(
                    f"hubtweets push lyons____ --hub local --runs {workplace / 'runs'}"
                )
        page.get_by_role("link", name="History").click()
        expect(page.get_by_role("link", name="Publish @lyons____")).to_be_visible()
        assert seen.faults == []


def serve_with_runs(workplace: Path) -> ASGIApp:
    """Return the Hub of a working folder, on whose pages samples can be picked."""
    found = partial(find_choice, str(workplace / "runs"))
    return create_app(Storage(workplace / "hub"), find_choice=found)


def test_only_a_click_on_the_page_picks_a_sample(workplace: Path, served: Served) -> None:
    """A broken, a copied and a changed sample have no thumb, and no other form is taken."""
    storage, path = Storage(workplace / "hub"), workplace / "runs" / "lyons____" / "run.json"
    own, other = storage.find_repo("models", OWN[1:]), "huggingtweets/other"
    assert own
    entry = storage.resolve(own, "main").files["hubtweets.json"]
    public = json.loads(storage.blobs.path(entry.sha256).read_bytes())
    texts = public["samples"]["samples"]
    texts[1] |= {"text": "My dream is \ufffd"}
    texts[2] |= {"text": "My dream is this", "copied": {**texts[2]["copied"], "share": 1.0}}
    record = serialization.read_record(path)
    assert record.samples
    samples = tuple(Sample(**{**one, "copied": Overlap(**one["copied"])}) for one in texts)
    record = replace(record, samples=replace(record.samples, samples=samples, picked=(1,)))
    serialization.write_record(record, path)
    texts[3]["text"] += " of another run"
    for name in (OWN[1:], other):
        repo = storage.find_repo("models", name) or storage.create_repo(
            "models", name, False, "a", {}
        )
        change_file(storage, repo, "hubtweets.json", json.dumps(public))
    served.app = serve_with_runs(workplace)
    with httpx2.Client(base_url=served.server.endpoint) as client:
        page = client.get(OWN).text
        thumbs = [int(number) for number in re.findall(r'class="thumb".*? value="(\d+)"', page)]
        assert thumbs == [1, *range(5, 11)] and 'class="thumb"' not in client.get(f"/{other}").text
        signature = re.findall(r'name="signature" value="(.+?)"', page)[0]
        good = {"signature": signature, "add": "5"}
        endpoint = served.server.endpoint
        for name, form, origin, status, expected in (
            (OWN[1:], good, "http://evil.example", 403, "the Origin is not this Hub"),
            (OWN[1:], good, "null", 403, "the Origin is not this Hub"),
            (OWN[1:], {"add": "5"}, endpoint, 403, "the signature is wrong or expired"),
            (OWN[1:], {**good, "signature": "1-a"}, endpoint, 403, "the signature is wrong"),
            (other, good, endpoint, 403, "the signature is wrong or expired"),
            ("huggingtweets/none", good, endpoint, 401, "Repository not found"),
            (OWN[1:], {**good, "add": "2"}, endpoint, 404, "has no sample 2 to pick here"),
            (OWN[1:], {**good, "add": "<b>"}, endpoint, 404, "has no sample &lt;b&gt; to pick"),
            (OWN[1:], {"signature": signature, "drop": "1"}, endpoint, 409, "one sample at least"),
        ):
            answer = client.post(f"/_pick/{name}", data=form, headers={"Origin": origin})
            assert answer.status_code == status and expected in answer.text, answer.text
        with FileLock(path.parent / ".lock"):
            busy = client.post(f"/_pick{OWN}", data=good)
            assert busy.status_code == 409 and "another hubtweets is running there" in busy.text
        served.app = create_app(storage)  # as on a Hub that other machines can reach
        assert 'class="thumb"' not in client.get(OWN).text
        assert client.post(f"/_pick{OWN}", data=good).status_code == 404
    assert serialization.read_record(path) == record


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 26, 39)")]
)
def test_pages_are_as_light_as_the_reader_wants(
    filled: tuple[str, Storage], browser: Browser, scheme: str, ground: str
) -> None:
    with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(filled[0])
        expect(page.locator("body")).to_have_css("background-color", ground)


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Another server, which a hostile card tries to contact."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A URL on another port, and the requests that it got."""
    asked: list[str] = []
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Recording", (Elsewhere,), {"asked": asked})
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


ATTACKS = """
<script>window.ran = 1; document.title = "ran"</script><script src="{away}/script.js"></script>
<img src=x onerror="window.ran = 1"><img src="{away}/img.png">\
<img src="//{host}/img2.png" srcset="{away}/set.png">
<svg onload="window.ran = 1"><script>window.ran = 1</script><image href="{away}/svg.png"></svg>
<math><mtext><table><mglyph><style><img src=x onerror="window.ran = 1"></style></mglyph></table>\
</mtext></math>
<iframe src="{away}/frame"></iframe><iframe srcdoc="<script>top.ran = 1</script>"></iframe>
<object data="{away}/object"></object><embed src="{away}/embed">
<form action="{away}/form"><input autofocus onfocus="window.ran = 1">\
<button formaction="javascript:window.ran = 1">go</button></form>
<meta http-equiv="refresh" content="0; url={away}/refresh"><base href="{away}/base/">\
<link rel="stylesheet" href="{away}/link.css">
<style>@import "{away}/import.css"; header {{ display: none }} body {{ background: \
url({away}/style.png) }}</style>
<a href="javascript:window.ran = 1" id="prompt">press</a> [press](javascript:window.ran=1) <a \
href="jav&#x09;ascript:window.ran = 1">press</a>
<div style="position: fixed; top: 0; left: 0; width: 100vw; height: 100vh; z-index: 9999; \
background: url({away}/fixed.png) red">over</div>
<div style="margin: -3000px; width: 9000px; height: 6000px; background-image: \
url('{away}/margin.png')">over</div>
<div style="font-size: 900px; margin-top: -2000px; float: left; margin-left: -900px; transform: \
scale(9)">over</div>
<video src="{away}/video" autoplay></video><audio src="{away}/audio" autoplay></audio>\
<details open ontoggle="window.ran = 1">x</details>
<p style="width: expression(window.ran = 1); background: url(javascript:window.ran=1)">x</p>
<noscript><p title="</noscript><img src=x onerror=window.ran=1>"></noscript><template>\
<img src=x onerror="window.ran = 1"></template>
"""
FORBIDDEN = (
    "script, iframe, form, input, button, meta, link, base, svg, math, object, embed, style, "
    "template, video, audio, [onerror], :not(h1, h2, h3, h4, h5, h6)[id], "
    "[class]:not(.anchor, pre.code, pre.code *)"
)


def find_valid_paths(texts: list[str]) -> list[str]:
    """Return the texts that are valid paths in a repo."""
    found = []
    for text in texts:
        try:
            found.append(validate_path(text.strip("/")))
        except HubError:
            continue
    return found


def test_a_browser_runs_nothing_of_a_hostile_repo(
    hub: tuple[str, str], tmp_path: Path, elsewhere: tuple[str, list[str]], browser: Browser
) -> None:
    storage, (away, asked) = Storage(tmp_path / "hub"), elsewhere
    printable = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    shown = [{"text": text, "example_title": text, "output": {"text": text}} for text in printable]
    metadata = yaml.safe_dump(
        {
            "widget": shown,
            "tags": printable,
            "license": printable[0],
            "base_model": printable,
            "datasets": printable[:9],
        }
    )
    attacks = ATTACKS.format(away=away, host=away.removeprefix("http://"))
    repo = storage.create_repo(
        "models", "huggingtweets/evil", False, "huggingtweets", {"model.safetensors": b"x"}
    )
    record = json.dumps(
        {
            "samples": {
                "samples": [{"text": text + attacks} for text in HOSTILE],
                "picked": [1, "<b>"],
            },
            "handle": "<script>",
        }
    )
    storage.create_commit(
        repo,
        "main",
        lambda files: {**files, "hubtweets.json": storage.blobs.add_regular(record.encode())},
        "Record",
        "",
        "huggingtweets",
    )
    head = storage.resolve(repo, "main")
    contents = {
        name: storage.blobs.add_regular((text + attacks).encode("utf-8", "replace"))
        for name, text in zip(find_valid_paths(HOSTILE), HOSTILE, strict=False)
    }
    for text in HOSTILE:  # titles may hold what no encoding has
        card = f"---\n{metadata}---\n{text}\n{attacks}".encode("utf-8", "replace")
        storage.create_commit(
            repo,
            "main",
            lambda files, card=card: {  # type: ignore[misc]
                **files,
                **contents,
                "README.md": storage.blobs.add_regular(card),
            },
            text,
            text,
            text,
        )
        made = storage.write_commit(repo, head.id, text, text, text, {**head.files, **contents})
        pull_requests.open_discussion(storage, repo, text, text, text, made, head)
        pull_requests.add_events(
            storage,
            repo,
            1,  # so that one page has them all
            pull_requests.create_event("title-change", text, {"from": text, "to": text}),
            pull_requests.create_comment(text, text + attacks),
        )
    storage.create_ref(repo, "branches", find_valid_paths(HOSTILE)[0], "main")
    with browser.new_context() as context:
        seen, page = PageLog(context), context.new_page()
        addresses = [
            "",
            "/tree/main",
            "/commits/main",
            "/discussions",
            "/discussions/1",
            "/discussions/2",
        ]
        addresses += [
            f"/commit/{one.id}" for one in storage.walk_history(repo, storage.resolve(repo, "main"))
        ][:4]
        addresses += [f"/blob/main/{layout.quote_segment(name)}" for name in contents]
        for address in ["/", *(f"/huggingtweets/evil{address}" for address in addresses)]:
            answer = page.goto(hub[0] + address)
            assert answer and answer.status == 200, address
            assert (
                page.title() in ("huggingtweets/evil", "hubtweets hub")
                and page.url == hub[0] + address
            )
            assert page.evaluate(
                "[typeof window.ran, "
                "document.querySelectorAll('[onerror], [href^=javascript]').length]"
            ) == ["undefined", 0], address
        assert asked == []

        answer = page.goto(f"{hub[0]}/huggingtweets/evil")
        nonce = page.locator("script").first.evaluate("script => script.nonce")
        assert (
            answer
            and answer.headers["content-security-policy"]
            == f"{POLICY}; script-src 'nonce-{nonce}'; connect-src 'self'"
        )
        assert nonce not in httpx2.get(f"{hub[0]}/huggingtweets/evil").text
        for place in page.locator(
            "header a, .tabs a"
        ).all():  # what is not the card's stays in sight
            place.click(trial=True)
        assert page.locator("article").locator(FORBIDDEN).count() == 0
        for press in page.locator("article").get_by_text("press").all():
            press.dispatch_event("click")
        for summary in page.locator(".widget summary, .samples summary").all():
            summary.click()
        assert (
            page.locator(".samples li").count() == len(HOSTILE)
            and page.locator(".samples li *:not(.chip, span[dir])").count() == 0
        )
        page.get_by_role("link", name="Load them").click()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("typeof window.ran") == "undefined"
        assert {path.rpartition("/")[2] for path in asked} == {
            "img.png",
            "img2.png",
            "fixed.png",
            "margin.png",
        }
        assert [
            fault
            for fault in seen.faults
            if "Content Security Policy" not in fault and "Failed to load resource" not in fault
        ] == []
