"""The Hub that is published to, the repo on it, and its errors as one line with a fix."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
from huggingface_hub.hf_api import ModelInfo
from huggingface_hub.utils import (
    build_hf_headers,
    get_session,
    hf_raise_for_status,
    validate_repo_id,
)

from hubtweets.config import LOCAL_HUB, PUBLIC_HUB
from hubtweets.errors import HubtweetsError, suggest
from hubtweets.publishing.retry import (
    UNKNOWN_REQUEST,
    describe_error,
    read_xet_status,
    retry,
    set_default_timeout,
    unwrap,
)
from hubtweets.record import serialization
from hubtweets.record.run_folder import list_run_names
from hubtweets.record.run_record import Target

HINTS = {
    401: "log in with a token that is valid there: {login}",
    403: "use a token with the role write, or another --namespace",
    412: "another push came first; run the command again",
    429: "wait some minutes and run the command again",
    507: "free some disk space there and run the command again",
}
HUB_ADVICE = f"--hub {PUBLIC_HUB}, or --hub local"
MAX_LIKE_NAMES = 1000  # that are listed to find one that was meant
NETWORK_ERRORS = (httpx2.TransportError, ConnectionError)


@dataclass(frozen=True)
class Hub:
    """A Hub to push to; `endpoint` is the address that goes into cards."""

    api: HfApi
    endpoint: str

    def type_hf(self, command: str) -> str:
        """Return a command of `hf` as it is typed for this Hub."""
        if self.endpoint == PUBLIC_HUB:
            return f"hf {command}"
        return f"HF_ENDPOINT={quote(self.endpoint)} hf {command}"

    def advise_missing(self, repo_id: str) -> str:
        """Return what to do about a model that is not found: a like name, or how to log in."""
        owner, _, name = repo_id.partition("/")
        names: list[str] = []
        with suppress(HfHubHTTPError, *NETWORK_ERRORS):
            models = self.api.list_models(author=owner, limit=MAX_LIKE_NAMES)
            names = [model.id.rpartition("/")[2] for model in models]
        return suggest(name, names) or f"log in: {self.type_hf('auth login')}"


@contextmanager
def connect(hub: str | None) -> Iterator[Hub]:
    """Yield the Hub at a URL.

    None stands for HF_ENDPOINT. "local" starts the embedded Hub, and stops it at the end.
    """
    set_default_timeout()
    if hub == "local":
        from hubtweets.hub import local

        storage = local.open_storage()
        with local.serve_in_thread(storage) as address:
            api = HfApi(endpoint=address, token=storage.token)
            yield Hub(api, LOCAL_HUB)
    else:
        api = HfApi(endpoint=hub.rstrip("/") if hub else None)
        check_address(f"--hub {hub}" if hub else f"HF_ENDPOINT={api.endpoint}", api.endpoint)
        yield Hub(api, api.endpoint)


def check_address(given: str, endpoint: str) -> None:
    """Raise HubtweetsError if an endpoint is not a web address; `given` is what set it."""
    try:
        parts = urlsplit(endpoint)
        if parts.scheme in ("http", "https") and parts.hostname:
            return
    except ValueError:
        pass
    advice = f"type: {HUB_ADVICE}"
    if "://" not in endpoint and "." in endpoint:
        advice = f"did you mean https://{endpoint}?"
    advice = suggest(endpoint, ["local"]) or advice
    raise HubtweetsError(f"{given}: not the address of a Hub; {advice}")


def choose_target(
    hub: Hub, handle: str, namespace: str | None, private: bool | None = None
) -> Target:
    """Return the repo to publish to, in the namespace of the token's user by default.

    Raises HubtweetsError if the Hub refuses the token, or if the repo exists and its visibility
    is not the one that `private` asks for.
    """

    def attempt() -> Target:
        user = hub.api.whoami()["name"]
        target = Target(hub.endpoint, f"{namespace or user}/{handle}")
        validate_repo_id(target.repo_id)
        if private is not None and hub.api.repo_exists(target.repo_id):
            check_visibility(hub.api.model_info(target.repo_id), target, private)
        return target

    with hub_errors(hub):
        # A failed connection is more likely a wrong address than a Hub that is starting.
        return retry(attempt, lambda _: None, unless=(httpx2.ConnectError,))


def resolve_repo_id(hub: Hub, name: str, runs: Path) -> str:
    """Return a repo's id; a name without a namespace is the run's repo, or the user's.

    Raises HubtweetsError if there is neither such a run nor a token.
    """
    if "/" in name:
        return name
    name, known = name.removeprefix("@"), None
    if name.lower() in list_run_names(runs):
        with suppress(HubtweetsError, OSError):
            known = serialization.read_record(runs / name.lower() / "run.json").target
    if known and known.endpoint == hub.endpoint:
        return known.repo_id
    try:
        with hub_errors(hub):
            return f"{hub.api.whoami()['name']}/{name}"
    except HubtweetsError as error:
        raise HubtweetsError(
            f"{name}: not the id of a repo, which is like huggingtweets/{name}; {error}"
        ) from None


def check_visibility(info: ModelInfo, target: Target, private: bool | None) -> None:
    """Raise HubtweetsError if a repo is public and should be private, or the reverse.

    Only the repo's owner changes the visibility of a repo that exists.
    """
    if private and not info.private:
        raise HubtweetsError(
            f"{target.url} is public already; make it private in its settings, or pass --public"
        )
    if private is False and info.private:
        raise HubtweetsError(
            f"{target.url} is private; make it public in its settings, or leave --public out"
        )


@contextmanager
def hub_errors(hub: Hub) -> Iterator[None]:
    """Turn the client's exceptions into a HubtweetsError of one line that says what to do."""
    endpoint = hub.endpoint
    try:
        yield
    except LocalTokenNotFoundError:
        raise HubtweetsError(explain_missing_token(hub)) from None
    except httpx2.InvalidURL as error:
        raise HubtweetsError(
            f"{endpoint}: not the address of a Hub ({error}); type: {HUB_ADVICE}"
        ) from None
    # ValueError is a bad repo name or a bad card; RuntimeError is a failed upload.
    except (*NETWORK_ERRORS, HfHubHTTPError, ValueError, RuntimeError) as error:
        raise HubtweetsError(f"{endpoint}{explain_error(hub, unwrap(error))}") from None


def explain_missing_token(hub: Hub) -> str:
    """Return that there is no token, or what is wrong with the address that it would be for."""
    endpoint = hub.endpoint
    if endpoint != PUBLIC_HUB:
        try:
            answer = get_session().get(f"{hub.api.endpoint}/api/models", params={"limit": 1})
        except NETWORK_ERRORS as error:
            return f"{endpoint}{explain_error(hub, error)}"
        if not is_from_hub(answer):
            return f"{endpoint} is not a Hub; type: {HUB_ADVICE}"
    login = hub.type_hf("auth login")
    return f"no token for {endpoint}; type: {login}, or set HF_TOKEN; or try --hub local"


def is_from_hub(response: httpx2.Response) -> bool:
    """Return False if no Hub would answer like this: neither JSON nor its headers of errors."""
    headers = response.headers
    return "json" in headers.get("content-type", "") or any(
        name.startswith("x-error-") for name in headers
    )


def ask(hub: Hub, path: str) -> HfHubHTTPError | None:
    """Return the error that the Hub answers a request with, None if it answers something else."""
    url, headers = f"{hub.api.endpoint}/api/{path}", build_hf_headers(token=hub.api.token)
    try:
        hf_raise_for_status(get_session().get(url, headers=headers))
    except HfHubHTTPError as error:
        return error
    return None


def is_unknown_request(error: HfHubHTTPError) -> bool:
    """Return whether a Hub has no such address; a code tells that something else is missing."""
    response = error.response
    return response.status_code in UNKNOWN_REQUEST and "X-Error-Code" not in response.headers


def explain_error(hub: Hub, error: Exception) -> str:
    """Return what an error of the client means and what to do, to follow the Hub's address."""
    if isinstance(error, JSONDecodeError | UnicodeDecodeError):
        return f" is not a Hub; type: {HUB_ADVICE}"
    status = read_xet_status(error)
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status in UNKNOWN_REQUEST and not is_from_hub(error.response):
            return f" is not a Hub ({describe_error(error)}); type: {HUB_ADVICE}"
    if status:
        hint = HINTS.get(status, "run the command again")
        hint = hint.format(login=hub.type_hf("auth login"))
        return f" refused ({describe_error(error)}); {hint}"
    if isinstance(error, NETWORK_ERRORS):
        reason = describe_error(error)
        return f" does not answer ({reason}); run the command again, or try --hub local"
    message = str(error).partition("\n")[0]
    return f": {message}; run the command again"
