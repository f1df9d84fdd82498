"""What transformers and datasets push to the embedded Hub and load from it.

    python -m tests.hub_client.libraries BASE

In: a folder with a model, and HF_ENDPOINT, HF_TOKEN, HF_HUB_DISABLE_XET and HF_HOME as the test
sets them. Nothing may leave this machine.
"""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from datasets import Dataset, DatasetDict, get_dataset_config_names, load_dataset
from huggingface_hub import HfApi, constants
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, pipeline

from tests.hub_client.tools import ends, left, same, watch

PROMPT = "my dream is"


def say(model: str, **more: str | None) -> object:
    """Return what a model says, loaded by who has nothing of it yet."""
    shutil.rmtree(constants.HF_HUB_CACHE, ignore_errors=True)
    return pipeline(**{"task": "text-generation", "model": model} | more)(
        PROMPT, max_new_tokens=5, do_sample=False
    )


def models(base: str) -> None:
    api, repo_id = HfApi(), "huggingtweets/pushed"
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(base),
        AutoTokenizer.from_pretrained(base),
    )
    model.push_to_hub(repo_id, commit_message="the model")
    tokenizer.push_to_hub(repo_id)
    same(
        [one.title for one in api.list_repo_commits(repo_id)],
        ["Upload tokenizer", "the model", "initial commit"],
    )
    sha, wanted = api.model_info(repo_id).sha, say(base)
    same(say(repo_id), wanted)
    same(say(repo_id, task=None), wanted)  # the Hub tells it
    with pytest.raises(OSError, match="gpt2 is not a local folder and is not a valid model iden"):
        AutoConfig.from_pretrained("gpt2")
    with torch.no_grad():
        model.transformer.wte.weight[:] = model.transformer.wte.weight.flip(0)
    pull = model.push_to_hub(repo_id, create_pr=True)
    same((pull.pr_num, len(api.list_repo_commits(repo_id))), (1, 3))
    model.push_to_hub(repo_id, revision="other")
    tokenizer.push_to_hub(repo_id, revision="other")
    said = [say(repo_id, revision=revision) for revision in ("refs/pr/1", "other")]
    assert wanted != said[0] == said[1], said
    api.merge_pull_request(repo_id, 1)
    same([say(repo_id), say(repo_id, revision=sha)], [said[0], wanted])
    private = model.push_to_hub("huggingtweets/secret", private=True)
    same(
        (private.oid, api.model_info("huggingtweets/secret").private),
        (api.model_info("huggingtweets/secret").sha, True),
    )


def tables() -> None:
    api, repo_id = HfApi(), "huggingtweets/table"
    rows = [{"text": f"row {number} of it, é漢", "number": number} for number in range(1000)]
    table = Dataset.from_list(rows)
    first = table.push_to_hub("table", num_shards=2).oid
    table.select(range(3)).push_to_hub(repo_id, split="test")
    table.select(range(7)).push_to_hub(repo_id, "seven")
    DatasetDict({"train": table.select(range(5)), "test": table.select(range(2))}).push_to_hub(
        repo_id, create_pr=True
    )
    same(sorted(get_dataset_config_names(repo_id)), ["default", "seven"])
    for more, wanted in (
        ({}, {"train": 1000, "test": 3}),
        ({"name": "seven"}, {"train": 7}),
        ({"revision": first}, {"train": 1000}),
        ({"revision": "refs/pr/1"}, {"train": 5, "test": 2}),
    ):
        for streaming in (False, True):
            found = load_dataset(repo_id, streaming=streaming, **more)
            same(
                {name: list(split) for name, split in found.items()},
                {name: rows[:count] for name, count in wanted.items()},
            )
    files = [
        path
        for path in api.list_repo_files(repo_id, repo_type="dataset", revision=first)
        if path.endswith(".parquet")
    ]
    same(files, ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"])
    api.upload_file(
        path_or_fileobj=b'{"a": 1}\n{"a": 2}\n',
        path_in_repo="raw/a.jsonl",
        repo_id=repo_id,
        repo_type="dataset",
    )
    same(list(load_dataset(repo_id, data_files="raw/a.jsonl", split="train")), [{"a": 1}, {"a": 2}])
    same(
        list(
            load_dataset(
                "json",
                data_files=f"hf://datasets/{repo_id}/raw/*.jsonl",
                split="train",
                streaming=True,
            )
        ),
        [{"a": 1}, {"a": 2}],
    )
    ends(
        ("DatasetNotFoundError", None),
        lambda: load_dataset("huggingtweets/no-table"),
        lambda: load_dataset(repo_id, revision="nope"),
    )


if __name__ == "__main__":
    sys.addaudithook(watch)
    models(str(Path(sys.argv[1]).resolve()))
    tables()
    same(
        {*left} - {"datasets-server.127.0.0.1"}, set()
    )  # datasets derives this host from the endpoint, and works without it
