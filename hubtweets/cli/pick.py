"""Pick the samples of the card on a terminal: a page at a time, by their numbers."""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import click

from hubtweets.cli.arguments import parse_sample_numbers
from hubtweets.cli.console import write
from hubtweets.errors import HubtweetsError
from hubtweets.record.samples import MemorizationAudit, Samples
from hubtweets.stages.run import Run
from hubtweets.text import to_plain_text

SAMPLES_PER_PAGE = 8
MAX_SHOWN_CHARS = 1000  # of a sample that is picked
STOPPED = 130  # the exit code of a shell's command after Ctrl-C
QUESTION = "Number, or Enter (? for help)"
HELP = (
    "  17     pick sample 17 and read all of it; drop it, if it is picked",
    "  3,17   the same for several",
    "  Enter  go to the next page; after the last one, finish",
    "  p      go to the previous page",
    "  n      go to the next prompt",
    "  d      done: the card shows the picked samples",
    "  q      quit, and change nothing",
)


class Page(NamedTuple):
    """Some of the samples that begin with a prompt, by their numbers."""

    prompt: str
    place: str
    numbers: list[int]


def pick_on_terminal(run: Run) -> bool:
    """Have the user pick the samples that the card shows; return False if they change nothing.

    Raises HubtweetsError if there is no terminal to ask on, or no sample to pick.
    """
    record, command = run.record, f"hubtweets sample {run.name}"
    if not sys.stdin.isatty():
        raise HubtweetsError(f"no terminal to ask on; name the samples: {command} --pick 3,17")
    assert record.samples and record.audit
    picker = Picker(record.samples, record.audit)
    if not picker.pages:
        count = len(record.samples.samples)
        raise HubtweetsError(
            f"none of {count} samples can be shown; type: {command} --samples 1000 --pick"
        )
    write(f"Pick the samples that the card of @{run.name} shows.", err=True, cut=False)
    try:
        while picker.ask():
            write("Checking them with the model", err=True)
            try:
                run.pick(picker.picked)
            except HubtweetsError as error:
                write((str(error), "red"), err=True, cut=False)
            else:
                return True
    except (click.Abort, KeyboardInterrupt):
        write("", err=True)
        write("Nothing changed.", err=True)
        raise SystemExit(STOPPED) from None
    write("Nothing changed.", err=True)
    return False


class Picker:
    """What a user has picked so far, and the page they look at."""

    def __init__(self, samples: Samples, audit: MemorizationAudit) -> None:
        self.samples, self.picked = samples.samples, list(samples.picked)
        self.pages = list(list_pages(samples.list_offered(audit)))
        self.offered = {number for page in self.pages for number in page.numbers}
        self.at = 0

    def ask(self) -> bool:
        """Return True when the user is done, False if they quit."""
        self.show_page()
        while True:
            command = click.prompt(QUESTION, default="", show_default=False, err=True).strip()
            if command == "q":
                return False
            if command == "d" or (not command and self.at == len(self.pages) - 1):
                if self.picked:
                    return True
                write("Pick one sample at least, or type q to quit.", err=True)
            elif command == "?":
                for line in HELP:
                    write(line, err=True)
            else:
                self.obey(command)

    def obey(self, command: str) -> None:
        """Turn a page, or pick and drop samples by their numbers."""
        try:
            if command in ("", "p", "n"):
                self.turn(command)
            else:
                for number in parse_sample_numbers(command):
                    self.toggle(number)
        except HubtweetsError as error:
            write(str(error), err=True, cut=False)
        else:
            self.show_page()

    def turn(self, command: str) -> None:
        """Go to the next page, the previous one, or the next prompt."""
        if command == "p":
            self.at = max(0, self.at - 1)
            return
        here, rest = self.pages[self.at].prompt, range(self.at + 1, len(self.pages))
        self.at = next((at for at in rest if not command or self.pages[at].prompt != here), self.at)

    def toggle(self, number: int) -> None:
        """Pick a sample, or drop it if it is picked."""
        if number in self.picked:
            self.picked.remove(number)
        elif number in self.offered:
            self.picked.append(number)
            text = to_plain_text(self.samples[number - 1].text or "", MAX_SHOWN_CHARS)
            write((f"{number}: ", "green"), text, err=True, cut=False)
        else:
            raise HubtweetsError(
                f"{number}: not offered: it copies a post, has a broken character, "
                "adds nothing to its prompt, or does not exist"
            )

    def show_page(self) -> None:
        """Print the page, its picked samples marked, and the numbers of all that are picked."""
        page = self.pages[self.at]
        write("", err=True)
        write((page.place, "dim"), ": ", (f'"{to_plain_text(page.prompt)}"', "bold"), err=True)
        for number in page.numbers:
            text = (self.samples[number - 1].text or "").removeprefix(page.prompt)
            mark, style = ("*", "bold green") if number in self.picked else (" ", "")
            write((f" {mark}{number:>4}  {to_plain_text(text)}", style), err=True)
        listed = ", ".join(map(str, self.picked)) or "none"
        write((f"Picked: {listed}", "dim"), err=True)


def list_pages(groups: dict[str, list[int]]) -> Iterator[Page]:
    """Yield the pages: those of each prompt in turn."""
    for place, (prompt, numbers) in enumerate(groups.items(), 1):
        starts = range(0, len(numbers), SAMPLES_PER_PAGE)
        for at, start in enumerate(starts, 1):
            where = f"Prompt {place} of {len(groups)}, page {at} of {len(starts)}"
            yield Page(prompt, where, numbers[start : start + SAMPLES_PER_PAGE])
