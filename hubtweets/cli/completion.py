"""`hubtweets completion`: the script that makes a shell complete commands, options and runs."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from hubtweets.record.run_folder import list_run_names

PROGRAM = "hubtweets"
SHELLS = ("bash", "zsh", "fish")


@click.command
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and runs in SHELL.

    \b
    ~/.bashrc                   eval "$(hubtweets completion bash)"
    ~/.zshrc                    eval "$(hubtweets completion zsh)"
    ~/.config/fish/config.fish  hubtweets completion fish | source
    """
    made = get_completion_class(shell)
    assert made
    group = context.find_root().command
    click.echo(made(group, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())


def complete_runs(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the names of the runs that begin with what is typed."""
    names = list_run_names(Path(context.params.get("runs") or "runs"))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
