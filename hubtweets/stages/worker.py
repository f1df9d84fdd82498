"""Trains in several processes, started by `accelerate launch -m hubtweets.stages.worker FOLDER`.

In: the folder `workers` of a run, with config.json: the base, the training settings, the trackers.
Out: what `train` and `evaluate` leave in the run folder; or error.txt, the line that a person
should read.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path

from hubtweets.errors import HubtweetsError, explain_os_error
from hubtweets.progress import log_to_console
from hubtweets.record.config import TrainingConfig
from hubtweets.record.run_folder import open_run_folder
from hubtweets.record.run_record import Base


def main(folder: Path) -> None:
    """Train and score on a folder that `train.run_workers` prepared."""
    from pydantic import TypeAdapter

    from hubtweets.stages import evaluate, train

    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    log_to_console(settings["log_level"])
    base = TypeAdapter(Base).validate_python(settings["base"])
    config = TrainingConfig(**settings["training"])
    run_folder = folder.absolute().parent
    try:
        with open_run_folder(run_folder.parent, run_folder.name, shared=True) as run:
            train.train(run, base, settings["location"], config, settings["report_to"])
            if run.is_main:
                evaluate.evaluate(run, settings["location"])
    except (HubtweetsError, OSError) as error:
        message = explain_os_error(error) if isinstance(error, OSError) else str(error)
        with suppress(OSError), (folder / "error.txt").open("x", encoding="utf-8") as file:
            file.write(message)  # the first process that fails knows why
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
