"""`hubtweets generate` and `hubtweets chat`: texts that go on from a beginning."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import click

from hubtweets.cli.command import Command, options
from hubtweets.cli.console import write
from hubtweets.cli.json_output import json_option, print_json
from hubtweets.cli.options import handle_argument, runs_option, seed_option
from hubtweets.errors import HubtweetsError
from hubtweets.stages.run import open_run
from hubtweets.text import to_plain_text


@dataclass(frozen=True)
class Continuations:
    """A prompt, and the texts that begin with it."""

    prompt: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Generated:
    """What `generate --json` prints: the name of the run, and an entry for each prompt."""

    name: str
    prompts: tuple[Continuations, ...]


def number_option(default: int) -> Callable:
    return click.option(
        "-n",
        "--num-return-sequences",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="Generate this many texts.",
    )


@click.command(cls=Command)
@options(handle_argument, click.argument("prompt"), number_option(5), seed_option, runs_option)
@json_option
def generate(
    handle: str, prompt: str, num_return_sequences: int, seed: int, runs: str, json: bool
) -> None:
    """Continue PROMPT with HANDLE's model; - reads prompts from standard input, one per line.

    \b
    hubtweets generate lyons____ "My dream is" -n 3
    """
    run = open_run(handle, runs=runs)
    go_on, entries = run.load_generator(), []
    for one in filter(None, read_lines()) if prompt == "-" else [prompt]:
        texts = go_on(one, num_return_sequences, seed)
        if json:
            entries.append(Continuations(one, tuple(texts)))
        else:
            show_texts(texts, cut=False)
    if json:
        print_json(Generated(run.name, tuple(entries)))


@click.command(cls=Command)
@options(handle_argument, number_option(3), seed_option, runs_option)
def chat(handle: str, num_return_sequences: int, seed: int, runs: str) -> None:
    """Type a beginning, and HANDLE's model goes on; an empty line or Ctrl-D ends it."""
    go_on = open_run(handle, runs=runs).load_generator()
    try:
        # another seed for each prompt, or the same one would get the same texts
        for number, prompt in enumerate(ask_prompts()):
            try:
                texts = go_on(prompt, num_return_sequences, (seed + number) % 2**32)
            except HubtweetsError as error:  # too long a prompt
                write(str(error), err=True)
            else:
                show_texts(texts, cut=False)
    except (KeyboardInterrupt, click.Abort):
        write("", err=True)  # the shell's prompt begins a line of its own


def read_lines() -> Iterator[str]:
    """Yield the lines of standard input, without their ends."""
    assert isinstance(sys.stdin, io.TextIOWrapper)
    sys.stdin.reconfigure(errors="replace")  # a pipe may hold any bytes
    for line in sys.stdin:
        yield line.rstrip("\r\n")


def ask_prompts() -> Iterator[str]:
    """Yield what is typed until an empty line; on a terminal, raise click.Abort on Ctrl-D."""
    if not sys.stdin.isatty():
        yield from takewhile(bool, read_lines())
        return
    write("Type a beginning; an empty line ends.", err=True)
    while prompt := click.prompt(">", "", show_default=False, prompt_suffix=" ", err=True):
        yield prompt


def show_texts(texts: Iterable[str], cut: bool = True) -> None:
    """Print texts as a list, made safe for a terminal; whole ones if `cut` is false."""
    for text in texts:
        write(("- ", "cyan"), to_plain_text(text), cut=cut)
