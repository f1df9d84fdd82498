"""Renders the card, its pictures and the public record, and runs the card's snippets."""

from dataclasses import asdict, replace
from importlib.metadata import version

from hubtweets.files import write_atomically
from hubtweets.record.run_folder import RunFolder, hash_key
from hubtweets.record.run_record import Target, Terms
from hubtweets.record.serialization import dumps_public

MADE_LAST = ("README.md", "hubtweets.json")  # these speak of the other files


def render(run: RunFolder, target: Target, terms: Terms) -> None:
    """Render the card, its pictures and the public record into repo/."""
    from hubtweets.card import figures, model_card

    run.check_outputs("curate")  # the avatars
    run.update(target=target, terms=terms)
    model_card.render(run.record)  # what it can't show is said before anything is written
    run.log("card: drawing the pictures")
    drawn = figures.draw_figures(run.record, run.repo)
    run.log(f"card: README.md, {', '.join(drawn)}, hubtweets.json")
    (run.repo / "loss.png").unlink(
        missing_ok=True
    )  # an earlier training's, where this one has none
    for name, picture in drawn.items():
        write_atomically(run.repo / name, picture)
    files = (
        path
        for path in sorted(run.repo.rglob("*"))
        if path.name not in MADE_LAST and not path.name.startswith(".")
    )
    run.update(
        files=tuple(
            replace(file, path=file.path.removeprefix("repo/"))
            for file in run.describe_files(files)
        )
    )
    text = model_card.render(run.record)
    write_atomically(run.repo / "hubtweets.json", dumps_public(run.record, text).encode())
    write_atomically(run.repo / "README.md", text.encode())


def check_snippets(run: RunFolder) -> None:
    """Run the card's Python snippets in another process; raise HubtweetsError if one fails."""
    from hubtweets.card import snippets

    assert run.record.target
    blocks, repo_id = (
        snippets.find_snippets((run.repo / "README.md").read_text(encoding="utf-8")),
        run.record.target.repo_id,
    )
    key = hash_key(
        blocks,
        repo_id,
        [asdict(file) for file in run.list_outputs("train")],
        version("torch"),
        version("transformers"),
    )
    if run.is_done("snippets", key):
        return
    run.log("snippets: running the Python of the card")
    printed = snippets.run_snippets(blocks, repo_id, run.repo)
    run.log(f"snippets: Python snippets that run: {len(printed)}")
    run.finish("snippets", key)
