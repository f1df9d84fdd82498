"""git is not offered. It asks first for a repo's refs, and shows its user the answer."""

from starlette.requests import Request
from starlette.responses import Response

from hubtweets.hub.api.requests import get_base_url, get_kind, get_path_param
from hubtweets.hub.storage.repo import REPO_ID

# what to type instead of what asks for a service
COMMANDS = {
    "git-upload-pack": "hf download {}",  # clone, fetch, pull, ls-remote
    "git-receive-pack": "hf upload {} .",  # push
}


def decline_git(request: Request) -> Response:
    """Answer with git's own form of an error, which names the command to type instead.

    It is the same whether the repo exists or not.
    """
    service = request.query_params.get("service", "")
    if service not in COMMANDS:
        service = "git-upload-pack"
    namespace, name = (get_path_param(request, key) for key in ("namespace", "name"))
    repo_id, kind = f"{namespace}/{name.removesuffix('.git')}", get_kind(request)
    command = COMMANDS[service].format(repo_id if REPO_ID.fullmatch(repo_id) else "USER/REPO")
    if kind != "models":
        command += f" --type {kind.removesuffix('s')}"
    text = f"git is not offered here; type: HF_ENDPOINT={get_base_url(request)} {command}"
    answer = format_line(f"# service={service}\n") + b"0000" + format_line(f"ERR {text}\n")
    return Response(answer, media_type=f"application/x-{service}-advertisement")


def format_line(text: str) -> bytes:
    """Return a pkt-line: four hex digits of its length, and its text."""
    return b"%04x%s" % (len(text.encode()) + 4, text.encode())
