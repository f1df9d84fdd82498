"""The Hub that is published to, the repo on it, and its errors as one line with a fix."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
from huggingface_hub.hf_api import ModelInfo
from huggingface_hub.utils import validate_repo_id

from hubtweets.config import LOCAL_HUB
from hubtweets.errors import HubtweetsError
from hubtweets.publishing.retry import describe_error, retry, set_default_timeout, unwrap
from hubtweets.record.run_record import Target

HINTS = {
    401: "log in with a token that is valid there: hf auth login",
    403: "use a token with the role write, or another --namespace",
    412: "another push came first; run the command again",
    429: "wait some minutes and run the command again",
    507: "free some disk space there and run the command again",
}
NETWORK_ERRORS = (httpx2.TransportError, ConnectionError)


@dataclass(frozen=True)
class Hub:
    """A Hub to push to; `endpoint` is the address that goes into cards."""

    api: HfApi
    endpoint: str


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
        yield Hub(api, api.endpoint)


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
        raise HubtweetsError(
            f"no token for {endpoint}; type: hf auth login, or set HF_TOKEN; or try --hub local"
        ) from None
    except httpx2.InvalidURL as error:
        raise HubtweetsError(
            f"{endpoint}: not the address of a Hub ({error}); "
            "type: --hub https://huggingface.co, or --hub local"
        ) from None
    # ValueError is a bad repo name or a bad card; RuntimeError is a failed upload.
    except (*NETWORK_ERRORS, HfHubHTTPError, ValueError, RuntimeError) as error:
        raise HubtweetsError(f"{endpoint}{explain_error(unwrap(error))}") from None


def explain_error(error: Exception) -> str:
    """Return what an error of the client means and what to do, to follow the Hub's address."""
    if isinstance(error, HfHubHTTPError):
        hint = HINTS.get(error.response.status_code, "run the command again")
        return f" refused ({describe_error(error)}); {hint}"
    if isinstance(error, NETWORK_ERRORS):
        reason = describe_error(error)
        return f" does not answer ({reason}); run the command again, or try --hub local"
    message = str(error).partition("\n")[0]
    return f": {message}; run the command again"
