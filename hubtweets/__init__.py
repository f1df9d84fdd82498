"""Fine-tunes a language model on a person's posts and publishes it with a card that can be checked.

`publish` does it all; `open_run` gives the stages one by one; `load` downloads a published bot, and
`verify` checks its claims. Each is imported when it is first used, so `import hubtweets` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubtweets.config import Curation as Curation
    from hubtweets.config import TrainingConfig as TrainingConfig
    from hubtweets.errors import HubtweetsError as HubtweetsError
    from hubtweets.posts.post import Columns as Columns
    from hubtweets.progress import set_progress_hook as set_progress_hook
    from hubtweets.publishing.push import PushOptions as PushOptions
    from hubtweets.stages.bot import Bot as Bot
    from hubtweets.stages.bot import load as load
    from hubtweets.stages.bot import verify as verify
    from hubtweets.stages.publish import publish as publish
    from hubtweets.stages.read_options import ReadOptions as ReadOptions
    from hubtweets.stages.run import Run as Run
    from hubtweets.stages.run import open_run as open_run
    from hubtweets.verification.claims import Claim as Claim

__version__ = "0.1.0"

PLACES = {
    "Bot": "stages.bot",
    "Claim": "verification.claims",
    "Columns": "posts.post",
    "Curation": "config",
    "HubtweetsError": "errors",
    "PushOptions": "publishing.push",
    "ReadOptions": "stages.read_options",
    "Run": "stages.run",
    "TrainingConfig": "config",
    "load": "stages.bot",
    "open_run": "stages.run",
    "publish": "stages.publish",
    "set_progress_hook": "progress",
    "verify": "stages.bot",
}
__all__ = ["__version__", *PLACES]


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module 'hubtweets' has no attribute {name!r}")
    return getattr(import_module(f"hubtweets.{PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
