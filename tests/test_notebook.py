"""notebook.ipynb, run whole in a kernel of its own, and what its forms do with any input."""

import errno
import importlib
import logging
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from huggingface_hub import HfApi
from nbclient import NotebookClient

from hubtweets.errors import HubtweetsError, ProblemsError
from hubtweets.notebook import PostsForm, format_samples
from hubtweets.notebook.status import CellStoppedError, Status
from hubtweets.posts.example import x_archive
from tests.conftest import environment

NOTEBOOK = Path(__file__).parent.parent / "notebook.ipynb"
QUICK = "train(form, training=__import__('hubtweets').TrainingConfig(max_steps=2), num_samples=10)"
CLICKS = """
import os
buttons = _
buttons.publish.click()
print(buttons.status.message.value)
os.environ["HF_TOKEN"] = os.environ["LATER"]
buttons.consent.value = "own"
buttons.publish.click()
print(buttons.status.message.value, buttons.status.warnings.value)
buttons.download.click()
print(buttons.output.outputs[0]["data"]["text/html"])
"""
RED = '<b style="color: crimson">'
EMPTY_FIELD = """
form.source.value = "bluesky"
train(form)
"""


def read_notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_notebook_is_stored_without_outputs() -> None:
    notebook = read_notebook()
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in cells] == [([], None)] * 3
    assert "widgets" not in notebook.metadata


def test_the_whole_notebook(tmp_path: Path, hub: tuple[str, str]) -> None:
    endpoint, token = hub
    x_archive.write_archive(tmp_path / "lyons____.zip", 600)  # in place of the larger one
    notebook = read_notebook()
    choose, train, publish = (cell for cell in notebook.cells if cell.cell_type == "code")
    train.source = train.source.replace("train(form)", QUICK)
    clicks, stopped = map(nbformat.v4.new_code_cell, (CLICKS, EMPTY_FIELD))
    stopped.metadata.tags = ["raises-exception"]
    notebook.cells += [clicks, stopped]
    environ = environment(tmp_path, HF_ENDPOINT=endpoint, LATER=token)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute(env=environ, cwd=str(tmp_path))

    widget = ["text/plain", "application/vnd.jupyter.widget-view+json"]
    assert [list(output.data) for output in choose.outputs + publish.outputs] == [widget, widget]
    html, picture = ["text/plain", "text/html"], ["image/png", "text/plain"]
    assert [list(output.data) for output in train.outputs] == [widget, html, html, picture]
    assert train.outputs[2].data["text/html"].count("<li>") == 5
    assert train.outputs[3].data["image/png"].startswith("iVBORw0KGgo")

    refused, published, link = "".join(output.text for output in clicks.outputs).splitlines()
    assert refused.startswith(f"{RED}Failed to request device code from ")
    assert refused.endswith("; press Publish again, or set HF_TOKEN</b>")
    assert published == "Done. "
    assert "lyons____-bot.zip" in link
    repo = HfApi(endpoint, token=token).list_repo_files("huggingtweets/lyons____")
    assert {"model.safetensors", "README.md", "hubtweets.json"} < set(repo)
    with zipfile.ZipFile(tmp_path / "lyons____-bot.zip") as archive:
        assert sorted(archive.namelist()) == sorted(set(repo) - {".gitattributes"})
        assert b'"own"' in archive.read("hubtweets.json")

    assert stopped.outputs[-1].traceback == ["Not finished: see above."]
    assert token not in nbformat.writes(notebook)  # with the state of every widget


FAILURES: list[tuple[BaseException, str]] = [
    (HubtweetsError("<img src=x>: no\nsuch file"), "&lt;img src=x&gt;: no such file"),
    (ProblemsError(["a <b>", "c"]), "2 problems found:<br>- a &lt;b&gt;<br>- c"),
    (
        OSError(errno.ENOSPC, "No space left on device", "<i>"),
        "&lt;i&gt;: No space left on device; free some disk space",
    ),
    (KeyboardInterrupt(), "stopped; run it again to go on"),
]


@pytest.mark.parametrize(("error", "shown"), FAILURES)
def test_a_failure_is_shown_as_text_and_ends_the_cell(error: BaseException, shown: str) -> None:
    status = Status()
    with pytest.raises(CellStoppedError), status.watch():
        raise error
    assert (status.message.value, status.bar.bar_style) == (f"{RED}{shown}</b>", "danger")


def test_messages_and_progress_are_shown_as_text() -> None:
    status, logger = Status(), logging.getLogger("hubtweets")
    before = logger.handlers[:], logger.level
    with status.watch():
        logger.warning("%s is <b>odd</b>", "\x1b[1m<script>")
        logger.info("<script>\u202e")
        status.show_progress("step", 5, 5, "loss <2>")
        seen = [one.value for one in (status.message, status.bar, status.detail)]
        status.show_progress("posts", 7, None, "")  # too soon after
        assert status.bar.value == 5
    assert seen == ["&lt;script&gt;", 5, "step 5 of 5  loss &lt;2&gt;"]
    assert status.warnings.value == (
        "<div>Warning: [1m&lt;script&gt; is &lt;b&gt;odd&lt;/b&gt;</div>"
    )
    assert (status.message.value, status.bar.bar_style) == ("Done.", "success")
    assert (logger.handlers, logger.level) == before


def test_samples_are_shown_as_text() -> None:
    assert format_samples(["<script>\u202ealert(1)", "a\nb"]) == (
        "<ul><li>&lt;script&gt; alert(1)</li><li>a b</li></ul>"
    )


@pytest.mark.parametrize(
    ("source", "account", "path", "read"),
    [
        ("example", "", "", ("lyons____", "lyons____.zip")),
        ("archive", " @alice ", "my.zip", ("alice", "my.zip")),
        ("bluesky", "@alice.bsky.social", "", ("alice.bsky.social", "bluesky:alice.bsky.social")),
        ("mastodon", "@alice@host.example", "", ("alice", "mastodon:@alice@host.example")),
        ("mastodon", "alice", "", ("alice", "mastodon:@alice")),
        ("bluesky", " ", "", "Account is empty; fill it in above (alice.bsky.social)"),
        ("archive", "alice", "", "File is empty; fill it in above (twitter.zip, or upload it)"),
    ],
)
def test_the_form_names_the_posts(
    source: str,
    account: str,
    path: str,
    read: tuple[str, str] | str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    form = PostsForm()
    form.source.value, form.account.value, form.path.value = source, account, path
    shown = {"archive": (True, True), "example": (False, False)}.get(source, (False, True))
    assert tuple(one.layout.display is None for one in (form.file, form.account)) == shown
    if isinstance(read, str):
        with pytest.raises(HubtweetsError) as caught:
            form.read()
        assert str(caught.value) == f"{read}, then run this cell again"
    else:
        assert form.read() == read
        assert [path.name for path in tmp_path.iterdir()] == [read[1]] * (source == "example")


@pytest.mark.parametrize("version", [7, 8])
def test_an_upload_is_kept_in_a_folder(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    form, name = PostsForm(), "../../a.zip"
    value = {name: {"content": b"zip"}} if version == 7 else ({"name": name, "content": b"zip"},)
    form.save_upload({"new": value})
    assert form.path.value == str(Path("uploads", "a.zip"))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == {
        tmp_path / "uploads" / "a.zip": b"zip"
    }


def test_without_ipywidgets_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "hubtweets.notebook")
    with pytest.raises(HubtweetsError) as caught:
        importlib.import_module("hubtweets.notebook")
    assert caught.value._render_traceback_() == [
        "the notebook needs ipywidgets; type: pip install 'hubtweets[notebook]'"
    ]
