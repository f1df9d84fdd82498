"""The files of an archive, whatever holds them: a zip, a tar, a folder, or one file alone.

Nothing is unpacked to disk: a file is read as a stream, so that a bomb fills no memory, and nothing outside the container is opened. Only what a
reader names is opened at all.
"""

import hashlib
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from hubtweets.errors import HubtweetsError

MAX_FILES = 200_000  # in one tar, about a kilobyte of memory each
MAX_READ = 8 * 2**20  # bytes of a file that is read at once, of which JSON makes some twenty times as much; what may be larger is streamed
BLOCK = 1 << 20
HURT = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OverflowError, UnicodeError)


class Container:
    """A container's regular files by name; raises HubtweetsError where it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.mended():
            self.names, self._open = listed(path)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file to be streamed; raise HubtweetsError where it, or the container around it, is damaged or locked."""
        with self.mended(name), self._open(name) as file:
            yield file

    def read(self, name: str, most: int = MAX_READ) -> bytes:
        """Return the bytes of a file; raise HubtweetsError where there are more than `most`."""
        with self.open(name) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise HubtweetsError(f"{self.path}: {name} holds more than {most >> 20} MiB, which such a file never does; download the archive again")
        return content

    def sha256(self, names: Iterable[str]) -> str:
        """Return the SHA-256 of files' base names and bytes, in hex, which does not depend on what holds them."""
        digest = hashlib.sha256()
        for name in names:
            digest.update(os.fsencode(base_name(name)) + b"\0")
            with self.open(name) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def mended(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except HURT as error:
            raise self.damaged(error) from None
        except OSError as error:  # without a file's name it is a decompressor's, or a seek to where nothing is
            raise self.damaged(error) if error.filename is None else error from None
        except RuntimeError as error:  # zipfile's word for an encrypted member
            if "password" not in str(error) and "encrypted" not in str(error):
                raise
            raise HubtweetsError(f"{self.path}: {name} is locked by a password; unpack the zip and give the folder") from None

    def damaged(self, error: Exception) -> HubtweetsError:
        reason = str(error)[:200]  # zipfile quotes the file's bytes
        return HubtweetsError(f"{self.path}: cut or damaged ({reason}); download the archive again")


def base_name(name: str) -> str:
    return name.rpartition("/")[2]


def listed(path: Path) -> tuple[list[str], Callable[[str], IO[bytes]]]:
    """Return the names of a container's regular files, and how to open one."""
    if path.is_dir():
        return list(walk(path)), lambda name: (path / name).open("rb")
    if zipfile.is_zipfile(path) or path.suffix == ".zip":
        archive = zipfile.ZipFile(path)
        entries = {name.replace("\\", "/"): name for name in archive.namelist()}  # some Windows tools write backslashes
        return list(entries), lambda name: archive.open(entries[name])
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        tar = tarfile.open(path)  # noqa: SIM115
        members: dict[str, tarfile.TarInfo] = {}
        for member in tar:
            if member.isreg():
                members[member.name] = member
            if len(members) > MAX_FILES:
                raise tarfile.TarError(f"more than {MAX_FILES:,} files")
        return list(members), lambda name: cast(IO[bytes], tar.extractfile(members[name]))
    return [path.name], lambda name: path.open("rb")


def walk(folder: Path) -> Iterator[str]:
    """Yield the folder's regular files, in order, by their paths in it; what a link leads to is not in it."""
    for root, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = Path(root, file)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def suffix(name: str) -> str:
    return "." + base_name(name).rpartition(".")[2].lower()


def place(container: Container, name: str) -> str:
    """Return how an error names a file."""
    return str(container.path) if container.path.name == name else f"{container.path}: {name}"
