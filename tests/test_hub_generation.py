"""Text generation by the Hub with the models it hosts, which are untrusted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from hubtweets.errors import HubtweetsError
from hubtweets.hub import local
from hubtweets.hub.api.requests import GATED
from hubtweets.hub.generation import workers
from hubtweets.hub.storage.repo import Repo
from hubtweets.hub.storage.storage import Storage
from tests.zygote import find_forked

ADAPTER = "adapter_config.json"
PROMPT = "my dream is"
CODE = (
    "import pathlib; pathlib.Path({marker!r}).touch()\n"
    "from transformers import GPT2Config, GPT2LMHeadModel\n"
)
ENDLESS = {
    "do_sample": True,
    "num_return_sequences": 2,
    "max_new_tokens": 200,
    "eos_token_id": None,
    "pad_token_id": 0,
}  # a text has its 200 tokens, whatever they are


@pytest.fixture(scope="module")
def model(base: Path) -> dict[str, bytes]:
    """The files of a model that never stops by itself."""
    files = {path.name: path.read_bytes() for path in base.iterdir() if path.is_file()}
    return {**files, "generation_config.json": json.dumps(ENDLESS).encode()}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage(tmp_path_factory.mktemp("models") / "hub")


@pytest.fixture(scope="module")
def endpoint(storage: Storage) -> Iterator[str]:
    with local.serve_in_thread(storage) as endpoint:
        yield endpoint


def create_repo(storage: Storage, name: str, files: dict[str, bytes]) -> Repo:
    return storage.create_repo("models", f"huggingtweets/{name}", False, "huggingtweets", files)


def request_texts(
    endpoint: str, name: str, prompt: object = PROMPT, count: object = 1, **headers: str
) -> httpx2.Response:
    address = f"{endpoint}/_generate/huggingtweets/{name}"
    return httpx2.post(
        address, json={"prompt": prompt, "count": count}, headers=headers, timeout=60
    )


def parse_lines(answer: httpx2.Response) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_texts_come_piece_by_piece_as_sample_makes_them(
    endpoint: str, storage: Storage, model: dict[str, bytes], tmp_path: Path
) -> None:
    from hubtweets.evaluation import sampling
    from hubtweets.models import loading

    create_repo(storage, "bot", model)
    first, *pieces, last = parse_lines(request_texts(endpoint, "bot", count=2))
    assert (list(first), last) == (["seed"], {"done": True})
    texts = [
        "".join(piece["text"] for piece in pieces if piece["index"] == index) for index in (0, 1)
    ]
    assert [piece["index"] for piece in pieces] == sorted(piece["index"] for piece in pieces)
    assert len(pieces) > 100 and texts[0] != texts[1]
    for name, content in model.items():
        (tmp_path / name).write_bytes(content)
    assert [texts[0]] == sampling.generate(*loading.load_repo(tmp_path), PROMPT, 1, first["seed"])
    assert texts[1].startswith(PROMPT)

    address, asked = f"{endpoint}/_generate/huggingtweets/bot", {"prompt": PROMPT, "count": 1}
    short = httpx2.post(address, json={**asked, "temperature": 0.1, "max_new_tokens": 16})
    assert 0 < len(parse_lines(short)) - 2 <= 17  # besides the seed and the end, one is the prompt
    refused = httpx2.post(address, json={**asked, "max_new_tokens": 10**6})
    assert refused.json() == {"error": "max_new_tokens must be a number from 16 to 512"}


def test_what_no_page_of_this_hub_would_send_is_refused(
    endpoint: str, storage: Storage, model: dict[str, bytes]
) -> None:
    storage.change_settings(create_repo(storage, "gated", model), None, "auto")
    storage.change_settings(create_repo(storage, "private", model), True, None)
    refused = [
        (request_texts(endpoint, "gated"), 401, GATED.format("model", "huggingtweets/gated")),
        (
            request_texts(endpoint, "private"),
            401,
            "Repository not found",
        ),
        (request_texts(endpoint, "nope"), 401, "Repository not found"),
        (
            request_texts(
                endpoint, "private", prompt="x" * 1001, Authorization=f"Bearer {storage.token}"
            ),
            400,
            "prompt must be a text of at most 1,000 characters",
        ),
        (
            request_texts(endpoint, "private", prompt=3, Authorization=f"Bearer {storage.token}"),
            400,
            "prompt must be a text of at most 1,000 characters",
        ),
        *(
            (
                request_texts(
                    endpoint, "private", count=n, Authorization=f"Bearer {storage.token}"
                ),
                400,
                "count must be a number from 1 to 5",
            )
            for n in (0, 6, "1", True)
        ),
        (
            request_texts(endpoint, "gated", Origin="https://evil.example"),
            403,
            "another site's page can't write here: the Origin is not this Hub",
        ),
        (
            httpx2.post(f"{endpoint}/_generate/huggingtweets/gated", data={"prompt": "x"}),
            415,
            "send the prompt as application/json",
        ),
    ]
    assert [(answer.status_code, answer.json()["error"]) for answer, _, _ in refused] == [
        (status, error) for _, status, error in refused
    ]


def change_json(files: dict[str, bytes], name: str, **values: object) -> dict[str, bytes]:
    return {**files, name: json.dumps({**json.loads(files.get(name, b"{}")), **values}).encode()}


def write_files(folder: Path, files: dict[str, bytes]) -> dict[str, Path]:
    """Write a repo's files and return their paths."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name: folder / name for name in files}


def get_error(files: dict[str, Path], name: str, prompt: str = PROMPT) -> str:
    """Return the error line of a model, as the page shows it."""
    from hubtweets.hub.generation import generate, worker

    generate.loaded.clear()
    try:
        generate.generate(files, f"huggingtweets/{name}", "main", prompt, 1, 0, lambda *_: None)
    except Exception as error:
        return worker.describe_error(error, f"huggingtweets/{name}")
    return ""


def test_a_model_that_is_corrupt_or_foreign_gives_one_line(
    model: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    reached: list[object] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if (
            watching
            and event in ("socket.connect", "socket.getaddrinfo")
            and "127.0.0.1" not in str(arguments)
        ):
            reached.append(arguments)

    sys.addaudithook(watch)
    marker = tmp_path / "ran"
    code = CODE.format(marker=str(marker)).encode()
    by_name = {
        "auto_map": {
            "AutoConfig": "code.C",
            "AutoModelForCausalLM": "code.GPT2LMHeadModel",
            "AutoTokenizer": ["code.T", None],
        }
    }
    adapter = {"adapter_model.safetensors": b"x"}
    named: dict[str, Any] = {
        "peft_type": "LORA",
        "revision": None,
        "megatron_config": {},
        "megatron_core": "antigravity",
    }
    no_weights, not_here = (
        "has no weights as safetensors, and no other kind is loaded",
        "is not on this machine; type: hf download",
    )
    hostile = [
        ("card", {"README.md": b"# only a card"}, f"huggingtweets/card {no_weights}"),
        (
            "pickle",
            {name: content for name, content in model.items() if name != "model.safetensors"}
            | {"pytorch_model.bin": b"x"},
            no_weights,
        ),
        (
            "both",
            {**model, "model.safetensors": b"", "pytorch_model.bin": b"x"},
            "huggingtweets/both: its model can't be loaded: ",
        ),
        (
            "cut",
            {**model, "model.safetensors": model["model.safetensors"][:1000]},
            "huggingtweets/cut: its model can't be loaded: ",
        ),
        (
            "foreign",
            change_json(model, "config.json", model_type="unheard"),
            "huggingtweets/foreign: its model can't be loaded: ",
        ),
        (
            "hears",
            change_json(model, "config.json", model_type="wav2vec2"),
            "huggingtweets/hears: its model can't be loaded: ",
        ),
        (
            "number",
            {**model, "config.json": b"3"},
            "huggingtweets/number: its model can't be loaded: ",
        ),
        ("half", {**model, "config.json": b"{"}, "huggingtweets/half: its model can't be loaded: "),
        (
            "shapeless",
            {name: content for name, content in model.items() if name != "config.json"},
            "huggingtweets/shapeless: its model can't be",
        ),
        (
            "other",
            change_json(model, "config.json", n_embd=64),
            "huggingtweets/other: its model can't be loaded: ",
        ),
        (
            "mute",
            {name: content for name, content in model.items() if "token" not in name},
            "huggingtweets/mute: its tokenizer knows no token of",
        ),
        (
            "code",
            {**change_json(model, "config.json", model_type="x", **by_name), "code.py": code},
            "huggingtweets/code: its model can't be loaded: ",
        ),
        (
            "adapter",
            change_json(adapter, ADAPTER, base_model_name_or_path="evil/base", **named),
            f"its base, evil/base, {not_here} evil/base",
        ),
        (
            "path",
            change_json(adapter, ADAPTER, base_model_name_or_path=str(tmp_path), **named),
            f"its base, {tmp_path}, {not_here} {tmp_path}",
        ),
        ("baseless", change_json(adapter, ADAPTER, **named), f"its base, None, {not_here} None"),
    ]
    said = {
        name: get_error(write_files(tmp_path / name, files), name) for name, files, _ in hostile
    }
    watching = False
    assert [(name, said[name]) for name, _, line in hostile if line not in said[name]] == []
    assert not [
        error
        for error in said.values()
        if "\n" in error or "/tmp/tmp" in error or "Traceback" in error
    ]
    assert reached == [] and not marker.exists()
    too_long = get_error(
        write_files(tmp_path / "short", model), "short", "my dream is to repair the radio " * 30
    )
    assert "is too long for this model; give 56 tokens at most" in too_long


def test_a_config_has_nothing_imported_or_fetched_but_the_model_works(
    endpoint: str, storage: Storage, model: dict[str, bytes], tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    tokenizer = change_json(
        model, "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.T", "code.T"]}
    )
    files = change_json(
        tokenizer,
        "config.json",
        auto_map={"AutoModelForCausalLM": "code.M"},
        attn_implementation="evil/kernel",
    )
    files = change_json(
        files, "generation_config.json", num_beams=3, do_sample=False
    )  # which can't be streamed
    create_repo(storage, "kernel", {**files, "code.py": CODE.format(marker=str(marker)).encode()})
    _, prompt, text, last = parse_lines(request_texts(endpoint, "kernel"))
    assert (prompt, list(text), last) == (
        {"index": 0, "text": PROMPT},
        ["index", "text"],
        {"done": True},
    )
    assert not marker.exists()


LARGE: list[
    tuple[str, dict[str, Any], dict[str, Any], str | None]
] = [  # a config's and settings' wishes, with the weights of one layer
    (
        "layers",
        {"n_layer": 10**9},
        {},
        "its model can't be loaded: n_layer is 1e+09, and at most 1000 are loaded here",
    ),
    (
        "more layers",
        {"n_layer": 1001},
        {},
        "its model can't be loaded: n_layer is 1001, and at most 1000 are loaded here",
    ),
    (
        "labels",
        {"num_labels": 10**9},
        {},
        "its model can't be loaded: num_labels is 1e+09, and at most 1000 are loaded here",
    ),
    (
        "deep",
        {"text_config": [{"num_experts": 10**9}]},
        {},
        "its model can't be loaded: num_experts is 1e+09, and at most 1000 are loaded here",
    ),
    (
        "vocabulary",
        {"vocab_size": 2 * 10**9},
        {},
        "its model can't be loaded: its config asks for 64,000,0",
    ),
    (
        "positions",
        {"n_positions": 10**9},
        {},
        "its model can't be loaded: its config asks for 32,000,0",
    ),
    ("width", {"n_embd": 10**6}, {}, "its model can't be loaded: its config asks for 12,0"),
    (
        "another layer",
        {"n_layer": 2},
        {},
        "its model can't be loaded: its config asks for 42,048 parameters"
        ", and its weights are 29,344",
    ),
    (
        "long config",
        {"x": "x" * 2**20},
        {},
        "its model can't be loaded: config.json is over 1048576 bytes",
    ),
    ("beams", {}, {"num_beams": 10**6}, "its num_beams is 1000000, and at most 8 are allowed here"),
    ("no number", {}, {"num_beams": "many"}, ""),
    ("endless", {}, {"max_new_tokens": 10**9, "max_length": 10**9}, "is too long for this model"),
    ("sequences", {}, {"num_return_sequences": 10**6, "num_beams": 1, "max_new_tokens": 5}, None),
    (
        "compiled",
        {},
        {"compile_config": {"mode": "max-autotune"}},
        "its model can't be loaded: You provided `compile_config` as an instance of",
    ),
    ("cached", {}, {"cache_implementation": "static", "max_new_tokens": 5}, None),
    ("fetched", {}, {"custom_generate": "evil/code", "max_new_tokens": 5}, None),
    ("contrast", {}, {"penalty_alpha": 0.6, "top_k": 4, "max_new_tokens": 5}, None),
]


@pytest.mark.parametrize(
    ("name", "config", "settings", "line"), LARGE, ids=[name for name, *_ in LARGE]
)
def test_a_model_that_asks_for_too_much_is_refused_unbuilt(
    model: dict[str, bytes],
    tmp_path: Path,
    name: str,
    config: dict[str, Any],
    settings: dict[str, Any],
    line: str | None,
) -> None:
    files = change_json(
        change_json(model, "config.json", **config), "generation_config.json", **settings
    )
    get_error({}, "torch")  # to have it loaded
    before = psutil.Process().memory_info().rss
    said = get_error(write_files(tmp_path / "model", files), "large")
    assert said == "" if line is None else (line in said and said and "\n" not in said)
    assert psutil.Process().memory_info().rss - before < 2**28


@pytest.mark.parametrize("more", [{}, {"r": 10**9}, {"rank_pattern": {"c_attn": 10**9}}], ids=str)
def test_an_adapter_is_loaded_with_a_base_of_this_machine(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    from huggingface_hub import constants
    from peft import LoraConfig, get_peft_model

    from hubtweets.models import loading

    commit = "a" * 40
    cached = tmp_path / "models--somebody--base"
    (cached / "snapshots").mkdir(parents=True)
    (cached / "snapshots" / commit).symlink_to(base)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    adapted = get_peft_model(
        loading.load_model(str(base)),
        LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    adapted.save_pretrained(str(tmp_path / "adapter"))
    files = {
        path.name: path.read_bytes()
        for path in [*(tmp_path / "adapter").iterdir(), *base.glob("token*")]
    }
    files = change_json(
        files, ADAPTER, base_model_name_or_path="somebody/base", revision=commit, **more
    )
    said = get_error(
        write_files(
            tmp_path / "lora", {**files, "generation_config.json": json.dumps(ENDLESS).encode()}
        ),
        "lora",
    )
    too_large = (
        "huggingtweets/lora: its model can't be loaded: its config asks for a rank of "
        "1,000,000,000, and its largest matrix has a side of 128"
    )
    assert said == (too_large if more else "")


# ---- the processes ----


def list_worker_pids() -> set[int]:
    """Return the worker processes of this process."""
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess, FileNotFoundError):
            found |= (
                {find_forked(child.pid)}
                if "hubtweets.hub.generation.worker" in child.cmdline()
                else set()
            )
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end


def start_texts(
    stack: ExitStack, endpoint: str, name: str, count: int = 5
) -> Iterator[dict[str, Any]]:
    """Request texts and yield their lines as they arrive, until the stack is closed."""
    asked = {"prompt": PROMPT, "count": count}
    answer = stack.enter_context(
        httpx2.stream("POST", f"{endpoint}/_generate/huggingtweets/{name}", json=asked, timeout=60)
    )
    return map(json.loads, answer.iter_lines())


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The lines that worker processes send."""
    found, next_line = [], workers.read_line

    async def note(process: Any, deadline: float) -> dict[str, Any]:
        found.append(await next_line(process, deadline))
        return found[-1]

    monkeypatch.setattr(workers, "read_line", note)
    return found


def test_one_process_is_kept_and_writes_for_one_model_after_the_other(
    endpoint: str, storage: Storage, model: dict[str, bytes]
) -> None:
    create_repo(storage, "one", model)
    create_repo(storage, "other", model)
    found = []
    for name in ("one", "one", "other"):
        assert parse_lines(request_texts(endpoint, name))[-1] == {"done": True}
        found.append(list_worker_pids())
    assert len(found[0]) == 1 and found == [found[0]] * 3


def test_it_stops_when_the_client_leaves_and_the_process_stays(
    endpoint: str, storage: Storage, model: dict[str, bytes], read: list[dict[str, Any]]
) -> None:
    create_repo(storage, "quitter", model)
    assert parse_lines(request_texts(endpoint, "quitter"))[-1] == {"done": True}
    before = list_worker_pids()
    read.clear()
    with ExitStack() as stack:
        texts = start_texts(stack, endpoint, "quitter")
        assert [next(texts) for _ in range(2)][1] == {"index": 0, "text": PROMPT}
    wait_until(lambda: bool(read) and "error" in read[-1])
    assert read[-1] == {"error": "StoppedError"} and len(read) < 500  # of a thousand tokens
    assert (
        parse_lines(request_texts(endpoint, "quitter"))[-1] == {"done": True}
        and list_worker_pids() == before
    )


def test_a_model_that_never_ends_holds_up_no_other(
    endpoint: str, storage: Storage, model: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_repo(storage, "slow", model)
    create_repo(storage, "honest", model)
    assert parse_lines(request_texts(endpoint, "slow"))[-1] == {"done": True}
    monkeypatch.setattr(workers, "STOP_SECONDS", 0.1)
    (slow,) = list_worker_pids()
    os.kill(slow, signal.SIGSTOP)  # as a model that computes without end
    with ExitStack() as stack:
        texts = start_texts(stack, endpoint, "slow")
        assert list(next(texts)) == ["seed"]
        assert parse_lines(request_texts(endpoint, "honest"))[-1] == {"done": True}
        assert slow in list_worker_pids()
    wait_until(lambda: not psutil.pid_exists(slow))


def test_a_model_that_takes_too_long_is_killed(
    endpoint: str, storage: Storage, model: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_repo(storage, "long", model)
    assert parse_lines(request_texts(endpoint, "long"))[-1] == {"done": True}
    (pid,) = list_worker_pids()
    os.kill(pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(workers, "MAX_SECONDS", 0.5)
        patch.setattr(workers, "STOP_SECONDS", 0.1)
        assert parse_lines(request_texts(endpoint, "long"))[1:] == [
            {"error": "huggingtweets/long: its model took longer than 0.5 seconds"}
        ]
        wait_until(lambda: not psutil.pid_exists(pid))
    assert parse_lines(request_texts(endpoint, "long"))[-1] == {"done": True}


@pytest.mark.parametrize("busy", [True, False])
def test_a_process_that_is_killed_is_replaced(
    endpoint: str, storage: Storage, model: dict[str, bytes], busy: bool
) -> None:
    name = f"killed-{busy}"
    create_repo(storage, name, model)
    assert parse_lines(request_texts(endpoint, name))[-1] == {"done": True}
    (pid,) = list_worker_pids()
    with ExitStack() as stack:
        if busy:
            os.kill(pid, signal.SIGSTOP)
            texts = start_texts(stack, endpoint, name)
            next(texts)
        os.kill(pid, signal.SIGKILL)
        if busy:
            reason = "its model crashed: it takes too much memory, or it is corrupt"
            broke = f"huggingtweets/{name}: {reason}"
            assert list(texts) == [{"error": broke}]
    wait_until(lambda: not psutil.pid_exists(pid))
    assert parse_lines(request_texts(endpoint, name))[-1] == {"done": True}


def test_only_so_many_models_write_at_once(
    endpoint: str, storage: Storage, model: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_repo(storage, "first", model)
    create_repo(storage, "second", model)
    assert parse_lines(request_texts(endpoint, "first"))[-1] == {"done": True}
    monkeypatch.setattr(workers, "MAX_WORKERS", 1)
    with ExitStack() as stack:
        os.kill(min(list_worker_pids()), signal.SIGSTOP)
        texts = start_texts(stack, endpoint, "first")
        assert list(next(texts)) == ["seed"]
        assert parse_lines(request_texts(endpoint, "second"))[1:] == [
            {"error": "1 other models are writing; try again in a minute"}
        ]
        os.kill(min(list_worker_pids()), signal.SIGCONT)
    wait_until(lambda: parse_lines(request_texts(endpoint, "second"))[-1] == {"done": True})


def test_memory_is_limited_by_the_size_of_the_weights(
    endpoint: str, storage: Storage, model: dict[str, bytes]
) -> None:
    """A tokenizer.json of 4 MB has a normalizer that turns a prompt into 4 GB."""
    tokenizer = json.loads(model["tokenizer.json"])
    tokenizer["normalizer"] = {
        "type": "Replace",
        "pattern": {"String": "m"},
        "content": "m" * 2**22,
    }
    create_repo(storage, "large", {**model, "tokenizer.json": json.dumps(tokenizer).encode()})
    answer = parse_lines(request_texts(endpoint, "large", prompt="m" * 1000))
    assert " memory" in answer[-1]["error"]  # not the time


def test_no_process_outlives_its_hub(tmp_path: Path, model: dict[str, bytes]) -> None:
    storage, before = Storage(tmp_path), list_worker_pids()
    create_repo(storage, "bot", model)
    with local.serve_in_thread(storage) as endpoint, ExitStack() as stack:
        texts = start_texts(stack, endpoint, "bot")
        assert list(next(texts)) == ["seed"]
        wait_until(lambda: len(list_worker_pids() - before) == 1)
        (own,) = list_worker_pids() - before
    wait_until(lambda: not psutil.pid_exists(own))


HUB = """
import sys
from pathlib import Path
from hubtweets.hub import local
from hubtweets.hub.server import create_app
from hubtweets.hub.storage.storage import Storage
server = local.Server(create_app(Storage(Path(sys.argv[1]))), port=0)
print(server.endpoint, flush=True)
server.run()
"""


def test_no_process_outlives_a_hub_that_is_killed(tmp_path: Path, model: dict[str, bytes]) -> None:
    create_repo(Storage(tmp_path), "bot", model)
    with (
        subprocess.Popen(
            [sys.executable, "-c", HUB, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as hub,
        ExitStack() as stack,
    ):
        assert hub.stdout
        texts = start_texts(stack, hub.stdout.readline().strip(), "bot")
        assert [next(texts) for _ in range(2)][1] == {"index": 0, "text": PROMPT}
        (stand_in,) = psutil.Process(find_forked(hub.pid)).children()
        worker = psutil.Process(find_forked(stand_in.pid))
        hub.kill()
        worker.wait(timeout=30)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (KeyError(), "KeyError"),
        (OSError("x" * 1000), "x" * 500),
        (MemoryError(), "a/b: its model takes more memory than its size explains"),
        (
            RuntimeError("[x] DefaultCPUAllocator: can't allocate memory"),
            "a/b: its model takes more memory than its size explains",
        ),
        (HubtweetsError("a/b: as it is"), "a/b: as it is"),
    ],
)
def test_an_error_is_one_short_line(error: Exception, line: str) -> None:
    from hubtweets.hub.generation import worker

    assert worker.describe_error(error, "a/b") == line
