"""What a token may do, as the Hub's `whoami` tells it.

A role or a permission that is not known here may be enough: the Hub has the last word when it is pushed to.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field, ValidationError

WRITE = "repo.write"
WRITERS = ("admin", "write", "contributor")  # the roles in an organization that may make a repo


class Org(BaseModel):
    name: str
    role: str | None = Field(None, alias="roleInOrg")


class Entity(BaseModel):
    name: str


class Scope(BaseModel):
    entity: Entity
    permissions: list[str]


class FineGrained(BaseModel):
    scoped: list[Scope]


class AccessToken(BaseModel):
    role: str
    fine_grained: FineGrained | None = Field(None, alias="fineGrained")


class Auth(BaseModel):
    token: AccessToken | None = Field(None, alias="accessToken")


class Who(BaseModel):
    """A user, the user's organizations, and what the token may do; `everywhere` is the embedded Hub's word: it has one user for all namespaces."""

    name: str
    orgs: list[Org] = []
    auth: Auth | None = None
    everywhere: bool = Field(False, alias="writesEverywhere")


def problems(answer: dict[str, Any], namespace: str, name: str, pr: bool) -> Iterator[str]:
    """Yield why a push to a namespace's repo, or a pull request there, would be refused; nothing where the answer does not tell."""
    try:
        who = Who.model_validate(answer)
    except ValidationError:
        return
    token = who.auth.token if who.auth else None
    if token and token.role == "read":
        yield f"the token of {who.name} may only read; make one with the role write, and type: hf auth login"
    if pr:  # anybody may ask anybody
        return
    org = next((org for org in who.orgs if org.name == namespace), None)
    others = ", ".join(org.name for org in who.orgs if org.role is None or org.role in WRITERS)
    if org is None and namespace != who.name and not who.everywhere:
        choice = f"one of {who.name}, {others}" if others else who.name
        yield f"--namespace {namespace}: {who.name} is no member there; take {choice}, or offer it with --create-pr"
    elif org and org.role == "read":
        yield f"--namespace {namespace}: {who.name} may only read there; ask an admin of it for the role write, or offer it with --create-pr"
    elif token and token.fine_grained:
        writable = {
            scope.entity.name for scope in token.fine_grained.scoped if WRITE in scope.permissions
        }
        if not writable & {namespace, f"{namespace}/{name}"}:
            yield f"the fine-grained token of {who.name} may not write to {namespace}'s repos; give it {WRITE} there, or take one with the role write"
