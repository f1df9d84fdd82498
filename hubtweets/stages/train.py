"""Fine-tunes the base model on the training posts, in this process or in several.

In: the dataset of a run. Out: the weights in repo/, and what the training was, in the record. The
training itself is a job that `worker` does in the run folder.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from hubtweets.config import TrainingConfig
from hubtweets.errors import StoppedError
from hubtweets.files import write_atomically
from hubtweets.progress import logger
from hubtweets.record.run_folder import RunFolder, is_distributed, list_training_inputs
from hubtweets.record.run_record import Base, Tracker
from hubtweets.training import job as contract
from hubtweets.training.job import TrainingJob, TrainingReport


def train(
    run: RunFolder,
    base: Base,
    location: str,
    config: TrainingConfig,
    report_to: Sequence[Tracker] = (),
    num_processes: int = 1,
) -> None:
    """Fine-tune the base, from the last checkpoint if there is one; the weights go into repo/.

    With `num_processes` over 1, as many workers train in the run folder. This process may be one of
    several itself; then only the main one writes. The report of a training that an engine did in
    the folder is taken as it is.
    """
    run.list_outputs("curate")
    assert run.record.dataset
    inputs = list_training_inputs(base, config, run.record.dataset)
    job = TrainingJob(
        run.record.handle,
        base,
        location,
        config,
        tuple(report_to),
        inputs,
        logger.getEffectiveLevel(),
    )
    if run.is_done("train", job.key):
        return
    if is_distributed() or not contract.find_report(run.folder, job.key):
        warn_of_languages(run, base)
        do_job(run, job, num_processes)
    if run.is_main:
        finish(run, job, contract.read_report(run.folder))


def warn_of_languages(run: RunFolder, base: Base) -> None:
    """Warn of languages of the posts that the base does not know."""
    from hubtweets.curation.language import find_unknown_languages

    assert run.record.dataset
    languages = run.record.dataset.languages
    for code, share in find_unknown_languages(languages, base.languages).items():
        run.warn(
            f"{share:.0%} of the posts are in {code}, and {base.id} knows "
            f"{', '.join(base.languages)}; take another base: --base ID"
        )


def do_job(run: RunFolder, job: TrainingJob, num_processes: int) -> None:
    """Train in this process, or in several; raise HubtweetsError if they fail."""
    run.log(f"train: loading {job.base.id}")
    from hubtweets.stages import worker
    from hubtweets.training.launch import launch

    if num_processes == 1 or is_distributed():
        worker.work(run.folder, job)
        return
    contract.write_job(run.folder, job)
    try:
        launch(num_processes, worker.__name__, run.folder)
    finally:
        (run.folder / contract.CONFIG).unlink()


def finish(run: RunFolder, job: TrainingJob, report: TrainingReport) -> None:
    """Put weights, tokenizer and event files into repo/, and record the training."""
    from hubtweets.models.saving import install_weights

    before = run.record.stages.get("train")
    old = [run.folder / output.path for output in before.outputs] if before else []
    written = install_weights(run.folder / report.weights, run.repo, old)
    for name in report.event_files:
        written.append(copy_event_file(run.folder / name, run.repo))
    run.finish(
        "train",
        report.key,
        written,
        base=job.base,
        training=report.training,
        passes=report.passes,
        environment=report.environment,
        history=report.history,
        evaluations=report.evaluations,
        tracked=report.tracked,
    )
    shutil.rmtree(run.folder / contract.CHECKPOINTS)
    (run.folder / contract.REPORT).unlink()
    if report.stopped:
        raise StoppedError("stopped after the training was done; type the command again to go on")


def copy_event_file(path: Path, repo: Path) -> Path:
    copy = repo / "runs" / path.name  # where the Hub looks for them
    copy.parent.mkdir(exist_ok=True)
    write_atomically(copy, path.read_bytes())
    return copy
