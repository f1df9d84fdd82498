"""Access tokens and their roles.

    token               the local token, readable by the user only; `--hub local` uses it
    tokens/abcd...      one file for each token: its SHA-256 is the name, its role the content

A token is 160 random bits, so its hash does not reveal it. Deleting its file revokes a token.
"""

import base64
import hashlib
import re
import secrets
from pathlib import Path
from typing import Literal, get_args

from hubtweets.hub.storage.blobs import Blobs

Role = Literal["read", "write"]
ROLES: tuple[Role, ...] = get_args(Role)
AUTHORIZATION = re.compile(r"Bearer (\S+)", re.ASCII)


def read_token(header: str) -> str | None:
    """Return the token of an Authorization header, None if it has none.

    Clients send it as Bearer, git-lfs as the password of Basic.
    """
    if bearer := AUTHORIZATION.fullmatch(header):
        return bearer[1]
    scheme, _, code = header.partition(" ")
    try:
        login = base64.b64decode(code, validate=True).decode()
    except ValueError:
        return None
    return login.partition(":")[2] if scheme == "Basic" else None


def create_token(blobs: Blobs, role: Role) -> str:
    """Return a new token; only its hash is stored."""
    token = "hf_" + secrets.token_hex(20)
    with blobs.open_temporary() as file:
        file.write(role.encode())
        blobs.keep(file, get_token_path(blobs.root, token))
    return token


def read_role(root: Path, token: str) -> Role | None:
    """Return a token's role, None if the token is unknown."""
    try:
        text = get_token_path(root, token).read_text()
    except OSError:
        return None
    return next((role for role in ROLES if role == text), None)


def get_token_path(root: Path, token: str) -> Path:
    return root / "tokens" / hashlib.sha256(token.encode()).hexdigest()
