"""The form that publishes a bot, or offers it as a zip file."""

import zipfile
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path

import ipywidgets as widgets
from IPython.display import HTML, FileLink

from hubtweets.errors import HubtweetsError
from hubtweets.files import replace_atomically
from hubtweets.notebook.status import CellStoppedError, Status, to_html
from hubtweets.stages.run import Run

CONSENTS = {
    None: "I'd rather not say",
    "own": "They are my own",
    "given": "Their author agreed to this",
}


class PublishForm(widgets.VBox):
    """Offers to publish a bot, or to download it as a zip file.

    `hub` is a Hub's URL, "local" for the embedded one, or None for HF_ENDPOINT.
    """

    def __init__(self, run: Run, hub: str | None = None) -> None:
        self.run, self.hub = run, hub
        self.consent = widgets.Dropdown(
            options=[(label, name) for name, label in CONSENTS.items()],
            description="Whose posts",
            layout={"width": "36em"},
        )
        self.publish = widgets.Button(description="Publish", button_style="primary")
        self.download = widgets.Button(description="Download as zip")
        self.status, self.output = Status(), widgets.Output()
        self.publish.on_click(lambda _: self.do(self.push))
        self.download.on_click(lambda _: self.do(self.pack))
        place = "the embedded Hub" if hub == "local" else find_endpoint(hub)
        note = f"Publishes @{run.name} at {place}, under your account there."
        buttons = widgets.HBox([self.publish, self.download])
        super().__init__([to_html(note), self.consent, buttons, self.output, self.status])

    def do(self, action: Callable[[], None]) -> None:
        """Do what a button says; a failure stays in the form."""
        self.output.outputs = ()
        self.publish.disabled = self.download.disabled = True
        try:
            with suppress(CellStoppedError), self.status.watch():
                action()
        finally:
            self.publish.disabled = self.download.disabled = False

    def push(self) -> None:
        """Log in if that is needed, push the bot, and show where it is."""
        if self.hub != "local":
            log_in(self.output)
        bot = self.run.push_to_hub(self.hub, consent=self.consent.value)
        self.output.append_display_data(HTML(format_link(bot.url)))

    def pack(self) -> None:
        """Write the bot to a zip file, and offer it for download."""
        path = write_zip(self.run)
        try:
            from google.colab import files
        except ImportError:
            self.output.append_display_data(FileLink(str(path)))
        else:
            files.download(str(path))


def find_endpoint(hub: str | None) -> str:
    from huggingface_hub import HfApi

    return hub or HfApi().endpoint


def log_in(output: widgets.Output) -> None:
    """Have the Hub's own widget ask for a login, unless there is one; the client keeps the token.

    Raises HubtweetsError if there is no token in the end.
    """
    from huggingface_hub import get_token, notebook_login
    from huggingface_hub.errors import DeviceCodeError

    reason = "not logged in yet"
    with output:  # which swallows exceptions
        try:
            notebook_login()
        except DeviceCodeError as error:
            reason = str(error)
    if not get_token():
        raise HubtweetsError(f"{reason}; press Publish again, or set HF_TOKEN")


def write_zip(run: Run) -> Path:
    """Write the files that would be pushed to a zip file beside the notebook."""
    from hubtweets.publishing.diff import list_local_files

    path = Path(f"{run.name}-bot.zip")
    with (
        run.open() as folder,
        replace_atomically(path) as partial,
        zipfile.ZipFile(partial, "w") as archive,  # weights can't be compressed
    ):
        for name, file in list_local_files(folder.repo).items():
            archive.write(file, name)
    return path


def format_link(url: str) -> str:
    return f'<a href="{escape(url)}" target="_blank" rel="noopener">{escape(url)}</a>'
