"""Tokens, and what each may do.

    token               the local one, which only the user can read: `--hub local` takes it by itself
    tokens/abcd...      of every token the SHA-256 for a name, and its role inside

A token is 160 random bits, so its hash tells nobody what it is. Who removes a file takes the token back.
"""

import hashlib
import re
import secrets
from pathlib import Path
from typing import Literal, get_args

from hubtweets.hub.storage.blobs import Blobs

Role = Literal["read", "write"]
ROLES: tuple[Role, ...] = get_args(Role)
AUTHORIZATION = re.compile(r"Bearer (\S+)", re.ASCII)


def create_token(blobs: Blobs, role: Role) -> str:
    """Return a new token; only its hash is kept."""
    token = "hf_" + secrets.token_hex(20)
    with blobs.temporary() as file:
        file.write(role.encode())
        blobs.keep(file, get_token_path(blobs.root, token))
    return token


def read_role(root: Path, token: str) -> Role | None:
    """Return what a token may do, None where it is no token of this Hub."""
    try:
        text = get_token_path(root, token).read_text()
    except OSError:
        return None
    return next((role for role in ROLES if role == text), None)


def get_token_path(root: Path, token: str) -> Path:
    return root / "tokens" / hashlib.sha256(token.encode()).hexdigest()
