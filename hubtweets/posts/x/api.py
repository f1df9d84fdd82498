"""A person's latest posts from X's API v2, which X bills by the post.

In: a handle, and a token in the environment. Out: a Reading of at most 3,200 posts, which is all
that X gives. Only the profile is requested before the user has seen the price and confirmed it. No
expansions are requested: they would be other people's posts.
Documentation: https://docs.x.com/x-api/posts/timelines
"""

import os
import re
from collections.abc import Callable
from typing import Any

from hubtweets.errors import HubtweetsError
from hubtweets.posts.http import ApiClient, ApiError
from hubtweets.posts.parsing import dig, get_list, get_text
from hubtweets.posts.post import Post, Reading
from hubtweets.posts.x.api_v2 import HANDLE, to_post, to_profile

TOKEN_VARIABLES = ("X_BEARER_TOKEN", "TWITTER_BEARER_TOKEN", "BEARER_TOKEN")
TOKEN = re.compile(r"[!-~]+")  # characters that a header can hold
ID = re.compile(r"[0-9]{1,20}")
MAX_POSTS = 3200  # posts; X gives no older ones
MAX_PAGES = 320  # of up to 100 posts; X may leave posts out of a page
USER_FIELDS = "description,name,profile_image_url,protected,public_metrics,username"
TWEET_FIELDS = (
    "created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,note_tweet,"
    "referenced_tweets,withheld"
)
FREE_ADVICE = "or give the archive that X sends its owner for free: --posts ARCHIVE.zip"


def fetch(
    handle: str,
    price: float,
    say: Callable[[str], None],
    confirm: Callable[[str], bool],
    endpoint: str = "https://api.x.com",
) -> Reading:
    """Fetch an account's latest posts, at `price` dollars per post, if `confirm` returns True.

    Raises HubtweetsError if there is no token, no such account, no consent, or X refuses.
    """
    if not HANDLE.fullmatch(handle):
        raise HubtweetsError(
            f"{handle!r} is not the name of an X account (1 to 20 letters, digits and _); "
            "write it without the @, as in x:alice"
        )
    variable, token = find_token()
    with ApiClient(endpoint, say, {"Authorization": f"Bearer {token}"}) as client:
        try:
            user = find_user(client, handle)
            profile = to_profile(user)
            number = confirm_cost(handle, user, price, say, confirm)
            posts, warnings = read_timeline(
                client, handle, variable, profile.account_id or "", number
            )
        except ApiError as error:
            raise explain_error(error, handle, variable) from None
        return Reading("x-api", profile, client.fetch_avatar(get_avatar_url(user)), posts, warnings)


def find_token() -> tuple[str, str]:
    """Return the first variable that holds a token, and the token.

    Raises HubtweetsError, which never shows a token, if there is none.
    """
    for variable in TOKEN_VARIABLES:
        if token := os.environ.get(variable, "").strip():
            if not TOKEN.fullmatch(token):
                raise HubtweetsError(
                    f"{variable} holds characters that no token has; "
                    "copy the bearer token again from X's developer console"
                )
            return variable, token
    raise HubtweetsError(
        f"no token for X's API: set {TOKEN_VARIABLES[0]} to the bearer token of an app "
        f"in X's developer console, {FREE_ADVICE}"
    )


def find_user(client: ApiClient, handle: str) -> dict:
    answer, _ = client.get(
        f"/2/users/by/username/{handle}", {"user.fields": USER_FIELDS}, is_monthly_cap
    )
    user = dig(answer, "data")
    if not isinstance(user, dict):
        raise explain_missing_data(answer, handle)
    if user.get("protected") is True:
        raise protected_error(handle)
    if not ID.fullmatch(get_text(user, "id") or ""):
        raise HubtweetsError(f"{client.endpoint} gives no id for @{handle}; try again later")
    return user


def confirm_cost(
    handle: str,
    user: dict,
    price: float,
    say: Callable[[str], None],
    confirm: Callable[[str], bool],
) -> int:
    """Show the cost and return the number of posts to read; raise HubtweetsError if declined."""
    count = dig(user, "public_metrics", "tweet_count")
    number = min(count, MAX_POSTS) if isinstance(count, int) and count >= 0 else MAX_POSTS
    cost = f"${number * price:,.2f}"
    say(
        f"@{handle}: up to {number:,} posts will be read (X gives the latest {MAX_POSTS:,}); "
        f"at ${price:g} a post that is {cost}, billed by X to the token's owner; "
        "one's own posts are cheaper by X's rate card"
    )
    if not confirm(f"Read up to {number:,} posts of @{handle} for {cost}?"):
        raise HubtweetsError(
            f"nothing was read; to pay for it, agree (or add --yes), {FREE_ADVICE}"
        )
    return number


def read_timeline(
    client: ApiClient, handle: str, variable: str, account_id: str, number: int
) -> tuple[list[Post], list[str]]:
    """Return the latest `number` posts, newest first, and warnings.

    If X stops half way, the posts that came are returned, since they are paid for.
    """
    posts: dict[str, Post] = {}
    read = invalid = 0
    token, tokens = "", set[str]()
    while True:
        try:
            page = read_page(client, account_id, number - read, token)
        except (ApiError, HubtweetsError) as error:
            if not posts:
                raise
            why = explain_error(error, handle, variable) if isinstance(error, ApiError) else error
            warning = f"{read:,} of {number:,} posts came, and are kept, when X stopped: {why}"
            return list(posts.values()), [warning]
        items = get_list(page, "data")
        # a page without posts has `meta`, and an error has not
        if not items and not isinstance(dig(page, "meta"), dict):
            raise explain_missing_data(page, handle)
        read += len(items)
        tweets = [item for item in items if is_tweet(item)]
        invalid += len(items) - len(tweets)
        posts |= {post.id: post for post in (to_post(tweet, account_id) for tweet in tweets)}
        token = get_text(dig(page, "meta"), "next_token") or ""
        if not token or read >= number:
            break
        if token in tokens or len(tokens) == MAX_PAGES:
            raise HubtweetsError(
                f"{client.endpoint} gives the same pages of @{handle} over and over; "
                "try again later"
            )
        tokens.add(token)
    if not invalid:
        return list(posts.values()), []
    warning = f"{invalid:,} of the {read:,} items that X gave are no posts and were left out"
    return list(posts.values()), [warning]


def read_page(client: ApiClient, account_id: str, number: int, token: str) -> Any:
    """Return a page of about `number` posts; a page has 5 to 100."""
    parameters = {"max_results": str(min(100, max(5, number))), "tweet.fields": TWEET_FIELDS}
    if token:
        parameters["pagination_token"] = token
    page, _ = client.get(f"/2/users/{account_id}/tweets", parameters, is_monthly_cap)
    return page


def is_tweet(item: Any) -> bool:
    return get_text(item, "id") is not None and isinstance(dig(item, "text"), str)


def get_avatar_url(user: dict) -> str | None:
    """Return the address of an account's picture in 400 x 400 pixels; None for X's default one."""
    url = get_text(user, "profile_image_url")
    if not url or "default_profile" in url:
        return None
    return re.sub(r"_normal(?=\.\w+$|$)", "_400x400", url)


def is_monthly_cap(error: ApiError) -> bool:
    """Return whether the monthly cap is reached, which no wait ends, and not the rate limit.

    The rate limit says when it is over.
    """
    if error.status == 429 and "x-rate-limit-reset" not in error.headers:
        return True
    problems = [error.body, *get_list(error.body, "errors")]
    return any("usage-capped" in (get_text(problem, "type") or "") for problem in problems)


def explain_missing_data(answer: object, handle: str) -> HubtweetsError:
    """Return the error for a response without data, which says why in `errors`."""
    error = next(iter(get_list(answer, "errors")), None)
    title, type = get_text(error, "title"), get_text(error, "type") or ""
    if "not-authorized-for-resource" in type:
        return protected_error(handle)
    if title == "Forbidden":
        return HubtweetsError(
            f"@{handle} is suspended by X; "
            "its owner can still ask X for the archive: --posts ARCHIVE.zip"
        )
    if "resource-not-found" in type:
        return HubtweetsError(f"there is no @{handle} at X; check the name")
    return HubtweetsError(f"X's API gives nothing for @{handle}; try again later, {FREE_ADVICE}")


def protected_error(handle: str) -> HubtweetsError:
    return HubtweetsError(
        f"the posts of @{handle} are protected: they are for its followers, and are not read; "
        "name a public account"
    )


def explain_error(error: ApiError, handle: str, variable: str) -> HubtweetsError:
    """Return the meaning of X's error; it quotes neither X's answer nor the token."""
    if is_monthly_cap(error):
        return HubtweetsError(
            f"the X app of {variable} has used up its posts of this month; "
            f"wait for the next or raise its cap, {FREE_ADVICE}"
        )
    texts = {
        401: f"X does not accept the token in {variable} (401); "
        f"copy the bearer token again from X's developer console, {FREE_ADVICE}",
        402: f"the X app of {variable} has no credits left (402); "
        f"buy some in X's developer console, {FREE_ADVICE}",
        403: f"X does not let the app of {variable} read posts (403); "
        f"enrol it in X's developer console, {FREE_ADVICE}",
        404: f"there is no @{handle} at X (404); check the name",
        429: f"X is rate-limiting the app of {variable} (429); "
        f"try again in 15 minutes, {FREE_ADVICE}",
    }
    other = f"X's API answered {error.status} for @{handle}; try again later, {FREE_ADVICE}"
    return HubtweetsError(texts.get(error.status, other))
