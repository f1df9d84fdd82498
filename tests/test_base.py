"""The embedded base: what is shipped, and what builds it."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import yaml

from hubtweets.models import base, loading
from hubtweets.posts.example import sentences
from hubtweets.record import samples
from hubtweets.record.run_record import License
from hubtweets.stages import pretrain
from tests.conftest import environment


def test_what_is_shipped() -> None:
    resolved, location = base.resolve_base("tiny")
    model, tokenizer = loading.load_base(resolved, location)
    assert (resolved.id, resolved.license, resolved.on_hub) == (
        "tiny",
        License("apache-2.0"),
        False,
    )
    assert 5.5e6 < model.num_parameters() < 6.5e6 and len(tokenizer) == 4096
    assert (
        base.TINY / "model.safetensors"
    ).stat().st_size < 2.1 * model.num_parameters()  # half precision
    card = (base.TINY / "README.md").read_text()
    assert yaml.safe_load(card.split("---\n")[1])["license"] == "apache-2.0"
    assert "bits per byte" in card and "public domain" in card


PLACE = "https://huggingface.co/org/base/blob/abc/"
# a base's card, and the licence that is read from it; what is linked may be a file of the base
LICENSES: list[tuple[str, License | None]] = [
    ("license: mit", License("mit")),
    ("license: mit\nlicense_name: MIT\nlicense_link: https://mit.example", License("mit")),
    (
        "license: other\nlicense_name: pie-1.0\n"
        "license_link: https://pie.example/text?key=secret#top",
        License("other", "pie-1.0", "https://pie.example/text"),
    ),
    (
        "license: other\nlicense_name: pie\nlicense_link: LICENSE",
        License("other", "pie", f"{PLACE}LICENSE"),
    ),
    (
        "license: other\nlicense_name: pie\nlicense_link: ./docs/LICENSE.md",
        License("other", "pie", f"{PLACE}./docs/LICENSE.md"),
    ),
    (
        "license: other\nlicense_name: pie\nlicense_link: ../../../evil/base",
        License("other", "pie"),
    ),
    ("license: other\nlicense_name: pie\nlicense_link: //evil.example", License("other", "pie")),
    (
        "license: other\nlicense_name: pie\nlicense_link: javascript:alert(1)",
        License("other", "pie"),
    ),
    (
        "license: other\nlicense_name: pie\nlicense_link: https://user:secret@pie.example",
        License("other", "pie"),
    ),
    (f"license: other\nlicense_link: https://pie.example/{'x' * 2000}", License("other")),
    (f'license: other\nlicense_name: "{"x" * 400}"', License("other", f"{'x' * 199}…")),
    ('license: other\nlicense_name: "a\\nb\\u202e\\ud83d\\0"', License("other", "a b")),
    ("license: other\nlicense_name: [pie]\nlicense_link: {a: b}", License("other")),
    ('license: "my own\\n---"', License("my own ---")),  # which the terms refuse
    ("license: [mit, apache-2.0]", None),
    ("license: 3", None),
    ("license: ''", None),
    ("license:", None),
    ("license: mit: b", None),
    ("- license", None),
]


@pytest.mark.parametrize(("card", "expected"), LICENSES)
def test_the_licence_of_a_base(card: str, expected: License | None, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{card}\n---\n", encoding="utf-8")
    assert base.read_card_facts(tmp_path / "README.md", PLACE)[0] == expected


def test_a_link_into_a_local_base_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "---\nlicense: other\nlicense_name: pie\nlicense_link: LICENSE\n---\n", encoding="utf-8"
    )
    assert base.read_card_facts(tmp_path / "README.md") == (License("other", "pie"), ())
    assert base.read_card_facts(tmp_path / "nothing.md") == (None, ())


def test_it_writes_texts_that_end() -> None:
    from hubtweets.evaluation.sampling import generate

    resolved, location = base.resolve_base("tiny")
    model, tokenizer = loading.load_base(resolved, location)
    texts = generate(model, tokenizer, "I", 20, seed=0)
    ended = [text for text in texts if len(tokenizer(text)["input_ids"]) < samples.MAX_NEW_TOKENS]
    assert len(set(texts)) == 20 and len(ended) >= 18


def test_paragraphs(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    kept = "A paragraph that is\nlong enough to be kept."
    corpus.write_text(
        f"short\n\n{kept}\n\n{'x' * 401}<|endoftext|>{kept}\n\n{'y' * 400}\n\n{'z' * 30}"
    )
    assert pretrain.read_paragraphs(corpus) == [kept.replace("\n", " "), "y" * 400, "z" * 30]


def test_make_base_builds_a_base(tmp_path: Path) -> None:
    """The very builder, on a corpus that is over in seconds."""
    paragraphs = [sentences.make_sentence(Random(n)) for n in range(40)]
    (tmp_path / "corpus.txt").write_text("\n\n".join(paragraphs))
    command = [sys.executable, "-m", "hubtweets.stages.pretrain", "corpus.txt", "tiny"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" held-out paragraphs\n")
    model, _ = loading.load_base(*base.resolve_base(str(tmp_path / "tiny")))
    assert model.config.n_layer == 6 and not (tmp_path / "tiny.checkpoints").exists()
    assert "held-out paragraphs of" in (tmp_path / "tiny" / "README.md").read_text()
