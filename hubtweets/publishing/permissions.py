"""What a token may do, by the answer of the Hub's `whoami`, and by its answers for a repo.

A role or a permission that is unknown here counts as enough: the Hub itself decides at the push.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from hubtweets.publishing.connection import Hub, ask
from hubtweets.publishing.retry import describe_error

WRITE = "repo.write"
WRITER_ROLES = ("admin", "write", "contributor")  # in an organization, that may create a repo


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
    """A user, their organizations (None: the Hub does not say), and what the token may do.

    `everywhere` is set by the embedded Hub only, which has one user for all namespaces.
    """

    name: str
    orgs: list[Org] | None = None
    auth: Auth | None = None
    everywhere: bool = Field(False, alias="writesEverywhere")

    @property
    def token(self) -> AccessToken | None:
        return self.auth.token if self.auth else None

    def find_org(self, name: str) -> Org | None:
        return next((org for org in self.orgs or () if org.name == name), None)


def find_problems(
    answer: dict[str, Any], repo_id: str, create_pr: bool, login: str
) -> Iterator[str]:
    """Yield why the Hub would refuse a push, or a pull request, to a repo.

    Yields nothing if the answer of `whoami` does not say. `login` is the command to log in.
    """
    try:
        who = Who.model_validate(answer)
    except ValidationError:
        return
    if who.token and who.token.role == "read":
        yield (
            f"the token of {who.name} may only read; "
            f"make one with the role write, and type: {login}"
        )
    if not create_pr:  # everybody may open a pull request
        yield from find_namespace_problems(who, *repo_id.split("/"))


def find_namespace_problems(who: Who, namespace: str, name: str) -> Iterator[str]:
    """Yield why a user or their token may not write to a namespace's repo."""
    org = who.find_org(namespace)
    if who.orgs is not None and org is None and namespace != who.name and not who.everywhere:
        writable = [org.name for org in who.orgs if org.role is None or org.role in WRITER_ROLES]
        choice = ", ".join([who.name, *writable])
        yield (
            f"--namespace {namespace}: {who.name} is not a member; "
            f"use {'one of ' if writable else ''}{choice}, or pass --create-pr"
        )
    elif org and org.role == "read":
        yield (
            f"--namespace {namespace}: {who.name} may only read there; "
            "ask an admin of it for the role write, or pass --create-pr"
        )
    elif who.token and who.token.fine_grained:
        scopes = who.token.fine_grained.scoped
        allowed = {scope.entity.name for scope in scopes if WRITE in scope.permissions}
        if not allowed & {namespace, f"{namespace}/{name}"}:
            yield (
                f"the fine-grained token of {who.name} may not write to {namespace}'s repos; "
                f"give it {WRITE} there, or use one with the role write"
            )


def find_refusal(hub: Hub, repo_id: str) -> Iterator[str]:
    """Yield why the Hub does not let the token write to a repo; nothing if it does not say."""
    error = ask(hub, f"models/{repo_id}/auth-check/write")
    if error and error.response.status_code == 403:
        yield (
            f"{hub.endpoint}/{repo_id} may not be written to ({describe_error(error)}); "
            "use a token with the role write, another --namespace, or pass --create-pr"
        )
