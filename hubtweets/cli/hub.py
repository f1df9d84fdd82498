"""`hubtweets hub` and what it can do besides."""

import shlex
import signal
import threading
import webbrowser
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from hubtweets.cli.options import runs_option
from hubtweets.errors import HubtweetsError
from hubtweets.hub.storage.tokens import ROLES, Role

if TYPE_CHECKING:
    from hubtweets.hub.local import Server
    from hubtweets.hub.pages.picks import Choice

PORT = click.IntRange(1, 65535)


@click.group(invoke_without_command=True)
@click.option(
    "--port",
    type=PORT,
    default=8086,
    show_default=True,
    help="Where it listens.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Another address lets other machines in."
)
@click.option(
    "--check", is_flag=True, help="Compare every hash of the stored files, and list unused ones."
)
@click.option("--gc", is_flag=True, help="Remove unused files that are over an hour old.")
@runs_option
@click.pass_context
def hub(context: click.Context, port: int, host: str, check: bool, gc: bool, runs: str) -> None:
    """Serve the embedded Hub until Ctrl-C.

    Its pages show each model's card; any Hugging Face client can use it. The samples of a bot that
    is in a run folder can be picked on its page.
    """
    from hubtweets.hub import local

    if context.invoked_subcommand:
        return
    if check or gc:
        for line in local.maintain_storage(check, gc):
            click.echo(line)
        return
    server = local.create_server(host, port, partial(find_choice, runs))
    click.echo(f"{server.endpoint} serves {local.get_storage_folder()}; in another terminal:\n")
    given = f" --host {shlex.quote(host)}" * (host != local.HOST) + f" --port {port}" * (
        port != local.PORT
    )
    click.echo(f'    eval "$(hubtweets hub{given} env)"\n')
    serve(server)


def serve_page(url: str, runs: str) -> None:
    """Open a page of the embedded Hub in a browser, and serve it until Ctrl-C, if nothing does."""
    from hubtweets.hub import local

    host, port = urlsplit(url).hostname or local.HOST, urlsplit(url).port or local.PORT
    try:
        server = local.create_server(host, port, partial(find_choice, runs))
    except HubtweetsError:  # perhaps `hubtweets hub` runs already
        if not local.is_served(url):
            raise
        webbrowser.open(url)
        return
    click.echo("Serving the Hub until Ctrl-C.", err=True)
    # in a thread, because a browser on the terminal waits for the page
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    serve(server)


def serve(server: "Server") -> None:
    """Serve until Ctrl-C or SIGTERM, which are the normal ways to stop."""
    # the server stops by itself, and then raises the signal again for whoever handled it before
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.run()
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def find_choice(runs: str, repo_id: str) -> "Choice | None":
    """Return what can be picked in the run folder of a bot, None if there is no such run."""
    from hubtweets.hub.pages.picks import Choice
    from hubtweets.stages.run import open_run

    try:
        run = open_run(repo_id.partition("/")[2], runs=runs)
        record = run.record
    except (HubtweetsError, OSError):
        return None
    samples, audit, target = record.samples, record.audit, record.target
    if not samples or not audit or not target or target.repo_id != repo_id:
        return None
    numbers = [number for group in samples.list_offered(audit).values() for number in group]
    where = f" --runs {shlex.quote(runs)}" if runs != "runs" else ""
    return Choice(
        {number: samples.samples[number - 1].text or "" for number in numbers},
        samples.picked,
        run.pick,
        f"hubtweets push {run.name} --hub local{where}",
    )


@hub.command()
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it lets do.")
def token(role: Role) -> None:
    """Print a new token, once: only its hash is kept."""
    from hubtweets.hub import local
    from hubtweets.hub.storage.tokens import create_token, get_token_path

    blobs = local.open_storage().blobs
    made = create_token(blobs, role)
    click.echo(made)
    click.echo(
        f"To take it back: rm {shlex.quote(str(get_token_path(blobs.root, made)))}", err=True
    )


@hub.command()
@click.option("--port", type=PORT, help="Where it listens.  [default: that of hubtweets hub]")
@click.option("--host", help="Its address.  [default: that of hubtweets hub]")
@click.pass_context
def env(context: click.Context, port: int | None, host: str | None) -> None:
    """Print the lines that point any other client here."""
    from hubtweets.hub import local

    assert context.parent
    given = context.parent.params
    endpoint = local.format_endpoint(host or given["host"], port or given["port"])
    click.echo(
        f"export HF_ENDPOINT={shlex.quote(endpoint)}\nexport HF_TOKEN={local.open_storage().token}"
    )
