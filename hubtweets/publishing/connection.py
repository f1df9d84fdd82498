"""The Hub that is pushed to, the repo there, and its errors in words that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError
from huggingface_hub.hf_api import ModelInfo
from huggingface_hub.utils import validate_repo_id

from hubtweets.errors import HubtweetsError
from hubtweets.publishing.retry import cause_of, limit_waiting, patiently, reason_of
from hubtweets.record.run_record import Target

HINTS = {
    401: "log in with a token that is valid there: hf auth login",
    403: "take a token with the role write, or another --namespace",
    412: "somebody pushed meanwhile; type the command again",
    429: "wait some minutes and type the command again",
    507: "free some disk space there and type the command again",
}


@dataclass(frozen=True)
class Hub:
    """A Hub to push to; `endpoint` is the address that goes into cards."""

    api: HfApi
    endpoint: str


@contextmanager
def connect(hub: str | None) -> Iterator[Hub]:
    """Give the Hub at a URL, at HF_ENDPOINT where it is None, or the embedded one, started for the while, where it is "local"."""
    limit_waiting()
    if hub == "local":
        from hubtweets.hub import local

        storage = local.open_storage()
        with local.serve_in_thread(storage) as address:
            yield Hub(
                HfApi(endpoint=address, token=storage.token), f"http://{local.HOST}:{local.PORT}"
            )
    else:
        api = HfApi(endpoint=hub.rstrip("/") if hub else None)
        yield Hub(api, api.endpoint)


def choose_target(
    hub: Hub, handle: str, namespace: str | None, private: bool | None = None
) -> Target:
    """Return where the bot will stand, under the token's user by default.

    Raises HubtweetsError where the Hub or the token says no, or where a repo that is there already is not as `private` as asked.
    """

    def attempt() -> Target:
        user = hub.api.whoami()["name"]
        target = Target(hub.endpoint, f"{namespace or user}/{handle}")
        validate_repo_id(target.repo_id)
        if private is not None and hub.api.repo_exists(target.repo_id):
            check_visibility(hub.api.model_info(target.repo_id), target, private)
        return target

    with speaking_to(hub):
        return patiently(
            attempt, lambda _: None, unless=(httpx2.ConnectError,)
        )  # more likely a wrong address than a Hub that starts


def check_visibility(info: ModelInfo, target: Target, private: bool | None) -> None:
    """Raise HubtweetsError where a repo is public and was to be private, or the other way round: who made it so decides."""
    if private and not info.private:
        raise HubtweetsError(
            f"{target.url} is public already; make it private in its settings, or type --public"
        )
    if private is False and info.private:
        raise HubtweetsError(
            f"{target.url} is private; make it public in its settings, or leave --public out"
        )


@contextmanager
def speaking_to(hub: Hub) -> Iterator[None]:
    """Turn what the client raises into one line that says what to do."""
    endpoint = hub.endpoint
    try:
        yield
    except LocalTokenNotFoundError:
        raise HubtweetsError(
            f"no token for {endpoint}; type: hf auth login, or set HF_TOKEN; or try --hub local"
        ) from None
    except httpx2.InvalidURL as error:
        raise HubtweetsError(
            f"{endpoint}: no address of a Hub ({error}); type: --hub https://huggingface.co, or --hub local"
        ) from None
    except (
        httpx2.TransportError,
        ConnectionError,
        HfHubHTTPError,
        ValueError,
        RuntimeError,
    ) as error:
        cause = cause_of(error)
        if isinstance(cause, HfHubHTTPError):
            hint = HINTS.get(cause.response.status_code, "type the command again")
            raise HubtweetsError(f"{endpoint} refused ({reason_of(cause)}); {hint}") from None
        if isinstance(cause, (httpx2.TransportError, ConnectionError)):
            raise HubtweetsError(
                f"{endpoint} does not answer ({reason_of(cause)}); type the command again, or try --hub local"
            ) from None
        # the client's words for a bad name, a bad card and a failed upload
        raise HubtweetsError(
            f"{endpoint}: {str(cause).partition(chr(10))[0]}; type the command again"
        ) from None
