"""The form that asks where the posts are, and which model is trained on them."""

from pathlib import Path
from typing import Any

import ipywidgets as widgets

from hubtweets.errors import HubtweetsError
from hubtweets.files import write_atomically
from hubtweets.notebook.status import to_html
from hubtweets.stages.run import GPT2

EXAMPLE_HANDLE = "lyons____"
SOURCES = {
    "example": "The example: posts of a made-up author",
    "archive": "My archive: the unchanged file from X, Mastodon, Bluesky or another service",
    "bluesky": "A Bluesky account",
    "mastodon": "A Mastodon account",
}
PLACEHOLDERS = {  # of the field for the account
    "example": "",
    "archive": "your handle on X; elsewhere a name for the bot",
    "bluesky": "alice.bsky.social",
    "mastodon": "@alice@mastodon.social",
}
MODELS = {
    "tiny": "Tiny: built in, trains in a minute, writes nonsense",
    GPT2: "GPT-2: downloads 550 MB, writes much better, needs a GPU",
}
UPLOADS = Path("uploads")


class PostsForm(widgets.VBox):
    """Asks where the posts are, and which model is trained on them."""

    def __init__(self) -> None:
        self.source = widgets.RadioButtons(
            options=[(label, name) for name, label in SOURCES.items()],
            layout={"width": "max-content"},
        )
        self.upload = widgets.FileUpload(description="Upload", multiple=False)
        self.path = make_text("File", "twitter.zip, or upload it")
        self.account = make_text("Account", "")
        device = find_accelerator()
        self.base_model = widgets.Dropdown(
            options=[(label, name) for name, label in MODELS.items()],
            value=GPT2 if device else "tiny",
            description="Model",
            layout={"width": "36em"},
        )
        note = f"Trains on {device}." if device else "There is no GPU here, so the CPU trains."
        file = widgets.HBox([self.path, self.upload])
        super().__init__([self.source, file, self.account, self.base_model, to_html(note)])
        self.file = file
        self.source.observe(self.show_fields, "value")
        self.upload.observe(self.save_upload, "value")
        self.show_fields()

    def show_fields(self, _: object = None) -> None:
        """Show the fields that the chosen source needs."""
        source = self.source.value
        self.file.layout.display = None if source == "archive" else "none"
        self.account.layout.display = "none" if source == "example" else None
        self.account.placeholder = PLACEHOLDERS[source]

    def save_upload(self, change: Any) -> None:
        """Write an uploaded file beside the notebook, and fill in its path."""
        files = change["new"]
        if isinstance(files, dict):  # ipywidgets 7, which Colab has
            files = [{"name": name, "content": file["content"]} for name, file in files.items()]
        UPLOADS.mkdir(exist_ok=True)
        for file in files:
            path = UPLOADS / Path(file["name"]).name
            write_atomically(path, bytes(file["content"]))
            self.path.value = str(path)

    def read(self) -> tuple[str, str]:
        """Return the bot's handle and the source of its posts, as `Run.curate` takes it.

        Raises HubtweetsError if a field is empty.
        """
        source = self.source.value
        if source == "example":
            return EXAMPLE_HANDLE, write_example()
        account = read_field(self.account).removeprefix("@")
        if source == "archive":
            return account, read_field(self.path)
        if source == "mastodon":
            return account.partition("@")[0], f"mastodon:@{account}"
        return account, f"bluesky:{account}"


def make_text(description: str, placeholder: str) -> widgets.Text:
    """Return a wide field for a line of text."""
    return widgets.Text(description=description, placeholder=placeholder, layout={"width": "36em"})


def read_field(field: widgets.Text) -> str:
    """Return what was typed into a field; raise HubtweetsError if that is nothing."""
    if not (text := field.value.strip()):
        raise HubtweetsError(
            f"{field.description} is empty; fill it in above ({field.placeholder}), "
            "then run this cell again"
        )
    return text


def find_accelerator() -> str | None:
    """Return the name of the GPU that training would use, None if there is none."""
    import torch

    device = torch.accelerator.current_accelerator(check_available=True)
    if device is None:
        return None
    from hubtweets.models.hardware import get_device_name  # which takes seconds to import

    return get_device_name(device)


def write_example() -> str:
    """Write the example archive beside the notebook, unless it is there; return its path."""
    from hubtweets.posts.example.x_archive import write_archive

    path = Path(f"{EXAMPLE_HANDLE}.zip")
    if not path.exists():
        write_archive(path)
    return str(path)
