"""The library: docs/api.md, run as it stands, and what importing costs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hubtweets
from tests.conftest import PYTHON, environment

ROOT = Path(__file__).parent.parent
SNIPPETS = re.findall(
    r"^```python\n(.*?)^```$",
    (ROOT / "docs" / "api.md").read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)
IMPORT = """
import sys
import hubtweets
heavy = {"torch", "transformers", "huggingface_hub", "pydantic", "click", "numpy"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_the_documentation_runs_and_prints_only_results(
    archive: Path, tmp_path: Path, base: Path
) -> None:
    shutil.copy(archive, tmp_path)
    code = "\n".join(SNIPPETS[:-1]).replace('"tiny"', repr(str(base)))
    code = code.replace("num_train_epochs=4", "num_train_epochs=0.1")
    code = code.replace("num_samples=50", "num_samples=5")
    whole = 'hub="local",\n)'  # publish writes 200 samples of five prompts if it isn't told
    assert code.count(whole) == 1
    code = code.replace(whole, 'hub="local",\n    prompts=["I"],\n    num_samples=5,\n)')
    code += "\nprint(len(texts), len(samples), counts[0].kept)\n" + SNIPPETS[-1]
    script = tmp_path / "api.py"
    script.write_text(code)
    home = environment(tmp_path)
    done = subprocess.run(
        [sys.executable, "api.py"], cwd=tmp_path, env=home, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    url, scores, false, numbers = done.stdout.splitlines()
    assert re.fullmatch(r"http://127\.0\.0\.1:8086/huggingtweets/lyons____ [0-9a-f]{40} v1", url)
    assert re.fullmatch(r"\d\.\d+ \d\.\d+", scores)
    assert (false, numbers) == ("[]", "5 1 864")


def test_the_import_is_light(tmp_path: Path) -> None:
    command = [PYTHON, "-c", IMPORT]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_bot_that_is_not_there_gets_one_line(hub: tuple[str, str]) -> None:
    with pytest.raises(hubtweets.HubtweetsError) as caught:
        hubtweets.load("huggingtweets/none", hub=hub[0])
    assert str(caught.value) == (
        f"{hub[0]}/huggingtweets/none: no revision main, or not visible to this token; "
        f"log in: HF_ENDPOINT={hub[0]} hf auth login"
    )


def test_every_name_is_there() -> None:
    for name in hubtweets.__all__:
        assert getattr(hubtweets, name) is not None
    assert dir(hubtweets) == sorted(hubtweets.__all__)
    assert (ROOT / "hubtweets" / "py.typed").exists()
