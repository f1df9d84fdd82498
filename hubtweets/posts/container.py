"""The files of an archive, whatever holds them: a zip, a tar, a folder, or one file alone.

Nothing is unpacked to disk: a file is read as a stream, so that a bomb fills no memory, and nothing outside the container is opened. Only what a
reader names is opened at all.
"""

import gzip
import hashlib
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn, cast

from hubtweets.errors import HubtweetsError

MAX_FILES = 200_000  # in one archive, about 600 bytes of memory each; an X archive with media has up to some 100,000
MAX_NAMES = (
    32 * 2**20
)  # bytes of a zip's directory, or of the names in a tar; real ones take up to 150 a file
MAX_TAR_HEADER = (
    2**16
)  # bytes of the headers of one file in a tar, whose name and attributes take some 2 KiB
MAX_TAR_HEADERS = 512 * MAX_FILES + MAX_NAMES  # bytes of all of them
ZIP_ENTRY = b"PK\x01\x02"  # with which each entry of a zip's directory begins: APPNOTE 6.3.10, section 4.3.12
MAX_READ = (
    8 * 2**20
)  # bytes of a file that is read at once, of which JSON makes some twenty times as much; what may be larger is streamed
BLOCK_BYTES = 1 << 20
CORRUPT_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OverflowError,
    UnicodeError,
)


class Container:
    """A container's regular files by name; raises HubtweetsError where it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.mended():
            self.names, self._open = list_files(path)

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
            raise HubtweetsError(
                f"{self.path}: {name} holds more than {most >> 20} MiB, which such a file never does; download the archive again"
            )
        return content

    def sha256(self, names: Iterable[str]) -> str:
        """Return the SHA-256 of files' base names and bytes, in hex, which does not depend on what holds them."""
        digest = hashlib.sha256()
        for name in names:
            digest.update(os.fsencode(base_name(name)) + b"\0")
            with self.open(name) as file:
                while block := file.read(BLOCK_BYTES):
                    digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def mended(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except CORRUPT_ERRORS as error:
            raise self.damaged(error) from None
        except (
            OSError
        ) as error:  # without a file's name it is a decompressor's, or a seek to where nothing is
            raise self.damaged(error) if error.filename is None else error from None
        except RuntimeError as error:  # zipfile's word for an encrypted member
            if "password" not in str(error) and "encrypted" not in str(error):
                raise
            raise HubtweetsError(
                f"{self.path}: {name} is locked by a password; unpack the zip and give the folder"
            ) from None

    def damaged(self, error: Exception) -> HubtweetsError:
        reason = str(error)[:200]  # zipfile quotes the file's bytes
        return HubtweetsError(f"{self.path}: cut or damaged ({reason}); download the archive again")


def base_name(name: str) -> str:
    return name.rpartition("/")[2]


def list_files(path: Path) -> tuple[list[str], Callable[[str], IO[bytes]]]:
    """Return the names of a container's regular files, and how to open one."""
    if path.is_dir():
        return list(walk_folder(path)), lambda name: (path / name).open("rb")
    if zipfile.is_zipfile(path) or path.suffix == ".zip":
        return list_zip(path)
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return list_tar(path)
    return [path.name], lambda name: path.open("rb")


class BoundedHeaders:
    """A file of which no more than `most` bytes may be read, unless that is None, for zipfile and tarfile read headers of any size into memory."""

    def __init__(self, path: Path, file: IO[bytes], most: int) -> None:
        self.path, self.file, self.most = path, file, cast(int | None, most)
        self.seek, self.tell, self.seekable, self.close = (
            file.seek,
            file.tell,
            file.seekable,
            file.close,
        )

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes; raise HubtweetsError if they are more than may be read, or list more than MAX_FILES."""
        if self.most is None:
            return self.file.read(size)
        bound = max(self.most, 0) + 1
        data = self.file.read(bound if size < 0 else min(size, bound))
        self.most -= len(data)
        if self.most < 0 or data.count(ZIP_ENTRY) > MAX_FILES:
            raise_too_many_files(self.path)
        return data


def raise_too_many_files(path: Path) -> NoReturn:
    """Raise HubtweetsError for an archive whose list of files is too long."""
    most = f"{MAX_FILES:,} files, or {MAX_NAMES >> 20} MiB of names and attributes"
    raise HubtweetsError(f"{path}: lists more than {most}; unpack it and give the folder")


def list_zip(path: Path) -> tuple[list[str], Callable[[str], IO[bytes]]]:
    """List a zip, whose directory zipfile reads whole, whatever number of entries it claims to have."""
    headers = BoundedHeaders(path, path.open("rb"), MAX_NAMES)
    archive = zipfile.ZipFile(cast(IO[bytes], headers))
    headers.most = None
    entries = {
        name.replace("\\", "/"): name for name in archive.namelist()
    }  # some Windows tools write backslashes
    return list(entries), lambda name: archive.open(entries[name])


def list_tar(path: Path) -> tuple[list[str], Callable[[str], IO[bytes]]]:
    """List a tar, compressed by gzip or not. Of each file only its name and place are kept: its other attributes may be of any size."""
    headers, left = BoundedHeaders(path, open_tar(path), MAX_TAR_HEADER), MAX_TAR_HEADERS
    tar = tarfile.open(fileobj=cast(IO[bytes], headers), mode="r:")  # noqa: SIM115
    members: dict[str, tarfile.TarInfo] = {}
    count = names = 0
    while member := tar.next():
        count, names = count + 1, names + len(member.name.encode(errors="surrogateescape"))
        if count > MAX_FILES or names > MAX_NAMES:
            raise_too_many_files(path)
        if member.isreg() and not member.issparse():
            members[member.name] = kept = tarfile.TarInfo(member.name)
            kept.size, kept.offset_data = member.size, member.offset_data
        tar.members = []  # type: ignore[attr-defined]  # tarfile keeps every member, and every global header
        tar.pax_headers = {}
        left -= MAX_TAR_HEADER - (headers.most or 0)
        headers.most = min(MAX_TAR_HEADER, left)
    headers.most = None
    return list(members), lambda name: cast(IO[bytes], tar.extractfile(members[name]))


def open_tar(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def walk_folder(folder: Path) -> Iterator[str]:
    """Yield the folder's regular files, in order, by their paths in it; what a link leads to is not in it."""
    for root, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = Path(root, file)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def get_suffix(name: str) -> str:
    return "." + base_name(name).rpartition(".")[2].lower()


def describe_file(container: Container, name: str) -> str:
    """Return how an error names a file."""
    return str(container.path) if container.path.name == name else f"{container.path}: {name}"


HEAD_BYTES = 4096  # bytes that tell one export from another, and from any other file of its name


def read_head(container: Container, name: str) -> bytes:
    with container.open(name) as file:
        return file.read(HEAD_BYTES)


def corrupt_error(container: Container, name: str, error: Exception) -> HubtweetsError:
    return HubtweetsError(
        f"{describe_file(container, name)} is cut, or is not what its service writes ({error}); ask for the export again"
    )
