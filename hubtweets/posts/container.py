"""The files of an archive in any container: a zip, a tar, a folder, or one file alone.

Nothing is unpacked to disk: files are read as streams, so a zip bomb does not fill the memory, and
nothing outside the container is opened. Only files that a reader names are opened.
"""

import gzip
import hashlib
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn, cast

from hubtweets.errors import HubtweetsError

# in one archive, about 600 bytes of memory each; an X archive with media has up to some 100,000
MAX_FILES = 200_000
# bytes of a zip's directory, or of the names in a tar; real ones take up to 150 a file
MAX_NAMES = 32 * 2**20
# bytes of the headers of one file in a tar, whose name and attributes take some 2 KiB
MAX_TAR_HEADER = 2**16
MAX_TAR_HEADERS = 512 * MAX_FILES + MAX_NAMES  # bytes of all of them
# the first bytes of each entry of a zip's directory: APPNOTE 6.3.10, section 4.3.12
ZIP_ENTRY = b"PK\x01\x02"
# bytes of a file that is read at once: parsed JSON takes some twenty times as much memory; files
# that may be larger are streamed
MAX_READ = 8 * 2**20
BLOCK_BYTES = 1 << 20
HEAD_BYTES = 4096  # enough to tell one export from another, and from other files of its name
CORRUPT_ERRORS = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, OverflowError, UnicodeError),
)

Opener = Callable[[str], IO[bytes]]


class Container:
    """A container's regular files by name; raises HubtweetsError if it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.translate_errors():
            self.names, self._open = list_files(path)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file as a stream; raise HubtweetsError if it or its container is damaged."""
        with self.translate_errors(name), self._open(name) as file:
            yield file

    def read(self, name: str, max_bytes: int = MAX_READ) -> bytes:
        """Return the bytes of a file; raise HubtweetsError if there are more than `max_bytes`."""
        with self.open(name) as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise HubtweetsError(
                f"{self.path}: {name} holds more than {max_bytes >> 20} MiB, which such a file "
                "never does; download the archive again"
            )
        return content

    def sha256(self, names: Iterable[str]) -> str:
        """Return the SHA-256 of files' base names and bytes, in hex, the same in any container."""
        digest = hashlib.sha256()
        for name in names:
            digest.update(os.fsencode(base_name(name)) + b"\0")
            with self.open(name) as file:
                while block := file.read(BLOCK_BYTES):
                    digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def translate_errors(self, name: str = "") -> Iterator[None]:
        """Raise HubtweetsError for damaged and for encrypted archives."""
        try:
            yield
        except CORRUPT_ERRORS as error:
            raise self.damaged_error(error) from None
        except OSError as error:
            # without a file's name it is a decompressor's, or a seek past the end
            raise self.damaged_error(error) if error.filename is None else error from None
        except RuntimeError as error:  # zipfile raises it for an encrypted member
            if "password" not in str(error) and "encrypted" not in str(error):
                raise
            raise HubtweetsError(
                f"{self.path}: {name} is locked by a password; unpack the zip and give the folder"
            ) from None

    def damaged_error(self, error: Exception) -> HubtweetsError:
        reason = str(error)[:200]  # zipfile quotes the file's bytes
        return HubtweetsError(f"{self.path}: cut or damaged ({reason}); download the archive again")


# ---- listing


def list_files(path: Path) -> tuple[list[str], Opener]:
    """Return the names of a container's regular files, and a function that opens one."""
    if path.is_dir():
        return list(walk_folder(path)), lambda name: (path / name).open("rb")
    if zipfile.is_zipfile(path) or path.suffix == ".zip":
        return list_zip(path)
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return list_tar(path)
    return [path.name], lambda name: path.open("rb")


class BoundedHeaders:
    """A file that raises HubtweetsError once more than `max_bytes` are read; None: no bound.

    zipfile and tarfile read headers of any size into memory.
    """

    def __init__(self, path: Path, file: IO[bytes], max_bytes: int) -> None:
        self.path, self.file, self.max_bytes = path, file, cast(int | None, max_bytes)
        self.seek, self.tell = file.seek, file.tell
        self.seekable, self.close = file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        """Return that many bytes; raise HubtweetsError if too many, or if over MAX_FILES files."""
        if self.max_bytes is None:
            return self.file.read(size)
        bound = max(self.max_bytes, 0) + 1
        data = self.file.read(bound if size < 0 else min(size, bound))
        self.max_bytes -= len(data)
        if self.max_bytes < 0 or data.count(ZIP_ENTRY) > MAX_FILES:
            raise_too_many_files(self.path)
        return data


def raise_too_many_files(path: Path) -> NoReturn:
    """Raise HubtweetsError for an archive whose list of files is too long."""
    limit = f"{MAX_FILES:,} files, or {MAX_NAMES >> 20} MiB of names and attributes"
    raise HubtweetsError(f"{path}: lists more than {limit}; unpack it and give the folder")


def list_zip(path: Path) -> tuple[list[str], Opener]:
    """List a zip. zipfile reads its whole directory, however many entries it claims to have."""
    headers = BoundedHeaders(path, path.open("rb"), MAX_NAMES)
    archive = zipfile.ZipFile(cast(IO[bytes], headers))
    headers.max_bytes = None
    # some Windows tools write backslashes
    entries = {name.replace("\\", "/"): name for name in archive.namelist()}
    return list(entries), lambda name: archive.open(entries[name])


def list_tar(path: Path) -> tuple[list[str], Opener]:
    """List a tar, compressed by gzip or not.

    Only the name and position of each file are kept: its other attributes may be of any size.
    """
    headers, left = BoundedHeaders(path, open_tar(path), MAX_TAR_HEADER), MAX_TAR_HEADERS
    tar = tarfile.open(fileobj=cast(IO[bytes], headers), mode="r:")  # noqa: SIM115
    members: dict[str, tarfile.TarInfo] = {}
    count = name_bytes = 0
    while member := tar.next():
        count += 1
        name_bytes += len(member.name.encode(errors="surrogateescape"))
        if count > MAX_FILES or name_bytes > MAX_NAMES:
            raise_too_many_files(path)
        if member.isreg() and not member.issparse():
            members[member.name] = kept = tarfile.TarInfo(member.name)
            kept.size, kept.offset_data = member.size, member.offset_data
        # tarfile keeps every member, and every global header
        tar.members = []  # type: ignore[attr-defined]
        tar.pax_headers = {}
        left -= MAX_TAR_HEADER - (headers.max_bytes or 0)
        headers.max_bytes = min(MAX_TAR_HEADER, left)
    headers.max_bytes = None
    return list(members), lambda name: cast(IO[bytes], tar.extractfile(members[name]))


def open_tar(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def walk_folder(folder: Path) -> Iterator[str]:
    """Yield the relative paths of a folder's regular files, in order; symlinks are skipped."""
    for root, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = Path(root, file)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


# ---- names and errors, for readers


def base_name(name: str) -> str:
    return name.rpartition("/")[2]


def get_suffix(name: str) -> str:
    return "." + base_name(name).rpartition(".")[2].lower()


def read_head(container: Container, name: str) -> bytes:
    """Return the first bytes of a file, by which readers recognize it."""
    with container.open(name) as file:
        return file.read(HEAD_BYTES)


def describe_file(container: Container, name: str) -> str:
    """Return a file's name for an error: with its container, unless it is alone."""
    return str(container.path) if container.path.name == name else f"{container.path}: {name}"


def corrupt_error(
    container: Container,
    name: str,
    error: Exception,
    service: str,
    advice: str = "download the archive again",
) -> HubtweetsError:
    """Return the error for a file that is cut, or not in the format of its service."""
    return HubtweetsError(
        f"{describe_file(container, name)} is not what {service} writes ({error}); {advice}"
    )


def check_single_export(container: Container, names: Sequence[str]) -> None:
    """Raise HubtweetsError if two files have the same name, and so come from two exports."""
    if len({base_name(name) for name in names}) < len(names):
        raise HubtweetsError(
            f"{container.path}: more than one export in it ({', '.join(names[:4])}); "
            "give one of them"
        )
