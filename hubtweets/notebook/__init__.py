"""The forms of notebook.ipynb: choose the posts, train with a progress bar, publish.

In: what a person chooses in the widgets. Out: calls of the library. A failure is shown as one line.
"""

from html import escape
from importlib.util import find_spec

from hubtweets.config import TrainingConfig
from hubtweets.errors import HubtweetsError
from hubtweets.stages.run import NUM_SAMPLES, Run, open_run
from hubtweets.text import to_plain_text

if not find_spec("ipywidgets"):
    raise HubtweetsError("the notebook needs ipywidgets; type: pip install 'hubtweets[notebook]'")

from IPython.display import HTML, Image, display

from hubtweets.notebook.posts_form import PostsForm
from hubtweets.notebook.publish_form import PublishForm
from hubtweets.notebook.status import Status

__all__ = ["PostsForm", "PublishForm", "train"]


def train(
    form: PostsForm,
    base_model: str | None = None,
    training: TrainingConfig | None = None,
    num_samples: int = NUM_SAMPLES,
) -> Run:
    """Read the posts that a form names, train a bot on them, and show what it writes.

    `base_model` is any causal language model, in place of the form's.
    """
    status = Status()
    display(status)
    with status.watch():
        handle, posts = form.read()
        run = open_run(handle)
        counts = run.curate(posts)
        run.train(base_model or form.base_model.value, training)
        samples = run.sample(num_samples=num_samples)
        card = run.render(hub="local")  # until it is known where the bot is published
    kept, read = (sum(getattr(one, name) for one in counts) for name in ("kept", "downloaded"))
    display(HTML(f"<p>@{escape(run.name)} learned from {kept:,} of {read:,} posts:</p>"))
    display(HTML(format_samples(samples)))
    display(Image((card.parent / "predictions.png").read_bytes(), width=600))
    return run


def format_samples(samples: list[str]) -> str:
    """Return samples as a list in HTML."""
    items = "".join(f"<li>{escape(to_plain_text(sample))}</li>" for sample in samples)
    return f"<ul>{items}</ul>"
