"""Scores the held-out posts."""

from dataclasses import asdict

from hubtweets.progress import activity
from hubtweets.record.run_folder import RunFolder, hash_key
from hubtweets.record.run_record import Metrics


def evaluate(run: RunFolder, location: str) -> None:
    """Score the held-out posts with the untouched base and the tuned model, all and by author."""
    weights, base, info = run.list_outputs("train"), run.record.base, run.record.dataset
    assert base and info
    key = hash_key(
        [asdict(file) for file in weights], base.id, base.revision, info.validation_sha256
    )
    if run.is_done("evaluate", key):
        return
    from hubtweets.curation import dataset
    from hubtweets.evaluation import bits_per_byte
    from hubtweets.models.loading import load_base, load_repo

    texts = list(dataset.read_texts(run.folder / "dataset" / "validation.parquet").values())
    run.log(f"evaluate: {sum(map(len, texts)):,} held-out posts")
    with activity(f"loading {base.id}"):
        untouched = load_base(base, location)
    base_score, base_scores = bits_per_byte.evaluate(
        *untouched, texts, unit="batches scored with the base"
    )
    with activity("loading the tuned model"):
        model = load_repo(run.repo)
    tuned, tuned_scores = bits_per_byte.evaluate(
        *model, texts, unit="batches scored with the tuned model"
    )
    before, after = base_score.bits_per_byte, tuned.bits_per_byte
    run.log(
        f"evaluate: {before:.3f} bits per byte for the untouched base, "
        f"{after:.3f} for the tuned model ({after / before - 1:+.1%})"
    )
    authors = tuple(Metrics(*scores) for scores in zip(base_scores, tuned_scores, strict=True))
    run.finish("evaluate", key, metrics=Metrics(base_score, tuned), metrics_by_author=authors)
