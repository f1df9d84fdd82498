"""Collections, users and tags of the embedded Hub, and what it has not."""

import json
from collections.abc import Callable

import httpx2
import pytest
from huggingface_hub import Collection, HfApi
from huggingface_hub.errors import HfHubHTTPError

Hub = tuple[str, str]
BOT, SECRET = "huggingtweets/bot", "huggingtweets/secret"


@pytest.fixture
def api(hub: Hub) -> HfApi:
    api = HfApi(endpoint=hub[0], token=hub[1])
    api.create_repo(BOT)
    api.create_repo(SECRET, repo_type="dataset", private=True)
    return api


def list_items(collection: Collection) -> list[tuple[str, str, str | None]]:
    return [(one.item_type, one.item_id, one.note) for one in collection.items]


def test_a_collection_is_made_changed_and_deleted(api: HfApi) -> None:
    made = api.create_collection("My <bots> & more", description="all")
    assert made.slug.startswith("huggingtweets/my-bots-more-")
    changed = api.update_collection_metadata(made.slug, title="Ours", theme="pink", private=True)
    assert changed.slug == f"huggingtweets/ours-{made.slug[-24:]}"
    assert [api.get_collection(slug).title for slug in (made.slug, changed.slug)] == ["Ours"] * 2
    assert (changed.description, changed.theme, changed.private) == ("all", "pink", True)
    assert api.create_collection("もの").slug.startswith("huggingtweets/")
    api.delete_collection(made.slug)
    with pytest.raises(HfHubHTTPError, match="no collection"):
        api.delete_collection(made.slug)


def test_items_are_added_moved_and_deleted(api: HfApi, hub: Hub) -> None:
    slug, other = (api.create_collection(title).slug for title in ("one", "two"))
    api.add_collection_item(slug, BOT, "model", note="mine")
    api.add_collection_item(slug, SECRET, "dataset")
    items = api.add_collection_item(slug, other, "collection").items
    with pytest.raises(HfHubHTTPError, match="has the model huggingtweets/bot already"):
        api.add_collection_item(slug, BOT, "model")
    api.add_collection_item(slug, BOT, "model", exists_ok=True)
    api.update_collection_item(slug, items[0].item_object_id, note="ours", position=2)
    nested, bot = ("collection", other, None), ("model", BOT, "ours")
    assert list_items(api.get_collection(slug)) == [("dataset", SECRET, None), nested, bot]
    stranger = HfApi(endpoint=hub[0], token=False)
    assert list_items(stranger.get_collection(slug)) == [nested, bot]
    assert [one.slug for one in stranger.list_collections(item=f"models/{BOT}")] == [slug]
    api.delete_collection_item(slug, items[0].item_object_id)
    with pytest.raises(HfHubHTTPError, match="the collection has no item"):
        api.delete_collection_item(slug, items[0].item_object_id)
    api.update_collection_metadata(slug, private=True)
    assert [one.title for one in api.list_collections(owner="huggingtweets")] == ["one", "two"]
    assert [one.title for one in stranger.list_collections()] == ["two"]
    with pytest.raises(HfHubHTTPError, match="no collection"):
        stranger.get_collection(slug)


BAD: list[tuple[Callable[[HfApi, str], object], str]] = [
    (lambda api, slug: api.add_collection_item(slug, BOT, "dataset"), "Repository Not Found"),
    (lambda api, slug: api.add_collection_item(slug, "2307.09288", "paper"), "an item is one of"),
    (lambda api, slug: api.add_collection_item(slug, BOT, "model", note="x" * 501), "note is a"),
    (lambda api, slug: api.add_collection_item(slug, "../" * 8, "collection"), "no collection"),
    (lambda api, slug: api.get_collection("huggingtweets/" + "x" * 24), "no collection"),
    (lambda api, slug: api.create_collection(""), "needs a title"),
    (lambda api, slug: api.create_collection("x" * 61), "title is a text of at most 60"),
    (lambda api, slug: api.create_collection("x", namespace="a/b"), "needs a title"),
    (lambda api, slug: api.create_collection("x", private=1), "private is no bool"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_can_be_no_collection(
    api: HfApi, call: Callable[[HfApi, str], object], message: str
) -> None:
    slug = api.create_collection("one").slug
    with pytest.raises(HfHubHTTPError, match=message):
        call(api, slug)
    assert (api.get_collection(slug).items, len(list(api.list_collections()))) == ([], 1)


def test_users_and_tags_are_counted(api: HfApi, hub: Hub) -> None:
    card = {"license": "mit", "pipeline_tag": "text-generation", "library_name": "transformers"}
    text = f"---\n{json.dumps({**card, 'tags': ['bot']})}\n---\n".encode()
    api.upload_file(path_or_fileobj=text, path_in_repo="README.md", repo_id=BOT)
    user = api.get_user_overview("huggingtweets")
    assert (user.num_models, user.num_datasets, user.num_spaces) == (1, 1, 0)
    stranger = HfApi(endpoint=hub[0], token=False)
    assert stranger.get_user_overview("huggingtweets").num_datasets == 0
    with pytest.raises(HfHubHTTPError, match="no user nobody"):
        api.get_user_overview("nobody")
    tags = api.get_model_tags()
    assert {group: [tag["id"] for tag in tags[group]] for group in sorted(tags)} == {
        "library": ["transformers"],
        "license": ["license:mit"],
        "other": ["bot"],
        "pipeline_tag": ["text-generation"],
    }
    assert tags["license"] == [{"id": "license:mit", "label": "mit", "type": "license"}]


LEFT_OUT = {
    "/api/buckets/huggingtweets/b": "buckets",
    "/api/settings/webhooks": "webhooks",
    "/api/organizations/hf/overview": "organizations",
    "/api/kernels/a/b": "kernels",
    "/api/jobs/huggingtweets": "jobs",
    "/api/papers/1": "papers",
}


@pytest.mark.parametrize("path", LEFT_OUT)
def test_what_it_leaves_out_it_says(hub: Hub, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = httpx2.request(method, hub[0] + path)
        message = f"the embedded Hub has no {LEFT_OUT[path]}"
        assert (answer.status_code, answer.json()) == (501, {"error": message})


@pytest.mark.parametrize("path", ["/api/users/a", "/api/users/a/b", "/api/users/a/revision/main"])
def test_only_the_kinds_of_repos_are_repos(hub: Hub, path: str) -> None:
    answer = httpx2.get(hub[0] + path)
    message = f"the embedded Hub does not support GET {path}"
    assert (answer.status_code, answer.json()) == (404, {"error": message})
    assert "X-Error-Code" not in answer.headers
