"""A person's latest posts from X's API v2, which X bills by the post.

In: a handle, and a token in the environment. Out: a Reading of at most 3,200 posts, which is all that X gives. Nothing but the profile is asked
for before the price was shown and agreed to. No expansions are asked for: they would be other people's posts.
Documentation: https://docs.x.com/x-api/posts/timelines
"""

import os
import re
from collections.abc import Callable

from hubtweets.errors import HubtweetsError
from hubtweets.posts.http import ApiClient, ApiError
from hubtweets.posts.parsing import dig, get_list, get_text
from hubtweets.posts.post import Post, Reading
from hubtweets.posts.x.api_v2 import HANDLE, to_post, to_profile

TOKEN_VARIABLES = ("X_BEARER_TOKEN", "TWITTER_BEARER_TOKEN", "BEARER_TOKEN")
TOKEN = re.compile(r"[!-~]+")  # what a header can hold
ID = re.compile(r"[0-9]{1,20}")
MAX_POSTS = 3200  # posts; X gives no older ones
MAX_PAGES = 320  # of up to 100 posts; X may leave posts out of a page
USER_FIELDS = "description,name,profile_image_url,protected,public_metrics,username"
TWEET_FIELDS = "created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,note_tweet,referenced_tweets,withheld"
FREE_ADVICE = "or give the archive that X sends its owner for free: --posts ARCHIVE.zip"


def fetch(
    handle: str,
    price: float,
    say: Callable[[str], None],
    confirm: Callable[[str], bool],
    endpoint: str = "https://api.x.com",
) -> Reading:
    """Read an account's latest posts, at `price` dollars a post, once `confirm` has agreed.

    Raises HubtweetsError where there is no token, no such account, no consent, or X refuses.
    """
    if not HANDLE.fullmatch(handle):
        raise HubtweetsError(
            f"{handle!r} is no name of an X account (1 to 20 letters, digits and _); write it without the @, as in x:alice"
        )
    variable, token = find_token()
    with ApiClient(endpoint, say, {"Authorization": f"Bearer {token}"}) as web:
        try:
            user = find_user(web, handle)
            profile = to_profile(user)
            number = confirm_cost(handle, user, price, say, confirm)
            posts, warnings = read_timeline(web, handle, variable, profile.account_id or "", number)
        except ApiError as answer:
            raise explain_error(answer, handle, variable) from None
        return Reading("x-api", profile, web.avatar(get_avatar_url(user)), posts, warnings)


def find_token() -> tuple[str, str]:
    """Return the first variable that holds a token, and the token; raise HubtweetsError, without it, where there is none."""
    for variable in TOKEN_VARIABLES:
        if token := os.environ.get(variable, "").strip():
            if not TOKEN.fullmatch(token):
                raise HubtweetsError(
                    f"{variable} holds characters that no token has; copy the bearer token again from X's developer console"
                )
            return variable, token
    raise HubtweetsError(
        f"no token for X's API: set {TOKEN_VARIABLES[0]} to the bearer token of an app in X's developer console, {FREE_ADVICE}"
    )


def find_user(web: ApiClient, handle: str) -> dict:
    answer, _ = web.get(
        f"/2/users/by/username/{handle}", {"user.fields": USER_FIELDS}, is_monthly_cap
    )
    user = dig(answer, "data")
    if not isinstance(user, dict):
        raise explain_missing_data(answer, handle)
    if user.get("protected") is True:
        raise protected_error(handle)
    if not ID.fullmatch(get_text(user, "id") or ""):
        raise HubtweetsError(f"{web.endpoint} gives no id for @{handle}; try again later")
    return user


def confirm_cost(
    handle: str,
    user: dict,
    price: float,
    say: Callable[[str], None],
    confirm: Callable[[str], bool],
) -> int:
    """Show what reading will cost, and return the number of posts agreed to; raise HubtweetsError where it is declined."""
    count = dig(user, "public_metrics", "tweet_count")
    number = min(count, MAX_POSTS) if isinstance(count, int) and count >= 0 else MAX_POSTS
    say(
        f"@{handle}: up to {number:,} posts will be read (X gives the latest {MAX_POSTS:,}); at ${price:g} a post that is ${number * price:,.2f}, "
        "billed by X to the token's owner; one's own posts are cheaper by X's rate card"
    )
    if not confirm(f"Read up to {number:,} posts of @{handle} for ${number * price:,.2f}?"):
        raise HubtweetsError(
            f"nothing was read; to pay for it, agree (or add --yes), {FREE_ADVICE}"
        )
    return number


def read_timeline(
    web: ApiClient, handle: str, variable: str, account_id: str, number: int
) -> tuple[list[Post], list[str]]:
    """Return the latest `number` posts, newest first, and what to warn of: where X stops half way, those that came are paid for, and returned."""
    posts: dict[str, Post] = {}
    read = hurt = 0
    token, tokens = "", set[str]()
    while True:
        size = min(100, max(5, number - read))  # what X takes
        parameters = {"max_results": str(size), "tweet.fields": TWEET_FIELDS} | (
            {"pagination_token": token} if token else {}
        )
        try:
            page, _ = web.get(f"/2/users/{account_id}/tweets", parameters, is_monthly_cap)
        except (ApiError, HubtweetsError) as error:
            if not posts:
                raise
            why = explain_error(error, handle, variable) if isinstance(error, ApiError) else error
            return list(posts.values()), [
                f"{read:,} of {number:,} posts came, and are kept, when X stopped: {why}"
            ]  # they are paid for
        items = get_list(page, "data")
        if not items and not isinstance(
            dig(page, "meta"), dict
        ):  # a page without posts has it; a refusal has not
            raise explain_missing_data(page, handle)
        read += len(items)
        for item in items:
            if get_text(item, "id") and isinstance(dig(item, "text"), str):
                post = to_post(item, account_id)
                posts[post.id] = post
            else:
                hurt += 1
        token = get_text(dig(page, "meta"), "next_token") or ""
        if not token or read >= number:
            return list(posts.values()), [
                f"{hurt:,} of the {read:,} items that X gave are no posts and were left out"
            ] if hurt else []
        if token in tokens or len(tokens) == MAX_PAGES:
            raise HubtweetsError(
                f"{web.endpoint} gives the same pages of @{handle} over and over; try again later"
            )
        tokens.add(token)


def get_avatar_url(user: dict) -> str | None:
    url = get_text(user, "profile_image_url")
    return (
        None
        if not url or "default_profile" in url
        else re.sub(r"_normal(?=\.\w+$|$)", "_400x400", url)
    )


def is_monthly_cap(answer: ApiError) -> bool:
    """Tell the monthly cap, which no wait ends, from the rate limit, which says when it is over."""
    problems = [answer.body, *get_list(answer.body, "errors")]
    return any("usage-capped" in (get_text(problem, "type") or "") for problem in problems) or (
        answer.status == 429 and "x-rate-limit-reset" not in answer.headers
    )


def explain_missing_data(answer: object, handle: str) -> HubtweetsError:
    """Return the error for a success without data, which says why in `errors`."""
    error = next(iter(get_list(answer, "errors")), None)
    title, type = get_text(error, "title"), get_text(error, "type") or ""
    if "not-authorized-for-resource" in type:
        return protected_error(handle)
    if title == "Forbidden":
        return HubtweetsError(
            f"@{handle} is suspended by X; its owner can still ask X for the archive: --posts ARCHIVE.zip"
        )
    if "resource-not-found" in type:
        return HubtweetsError(f"there is no @{handle} at X; check the name")
    return HubtweetsError(f"X's API gives nothing for @{handle}; try again later, {FREE_ADVICE}")


def protected_error(handle: str) -> HubtweetsError:
    return HubtweetsError(
        f"the posts of @{handle} are protected: they are for its followers, and are not read; name a public account"
    )


def explain_error(answer: ApiError, handle: str, variable: str) -> HubtweetsError:
    """Return the error for an answer that is no success; nothing of what it says is in it, nor of the token."""
    if is_monthly_cap(answer):
        return HubtweetsError(
            f"the X app of {variable} has used up its posts of this month; wait for the next or raise its cap, {FREE_ADVICE}"
        )
    lines = {
        401: f"X does not know the token in {variable} (401); copy the bearer token again from X's developer console, {FREE_ADVICE}",
        402: f"the X app of {variable} has no credits left (402); buy some in X's developer console, {FREE_ADVICE}",
        403: f"X does not let the app of {variable} read posts (403); enrol it in X's developer console, {FREE_ADVICE}",
        404: f"there is no @{handle} at X (404); check the name",
        429: f"X asks the app of {variable} to wait (429); try again in 15 minutes, {FREE_ADVICE}",
    }
    return HubtweetsError(
        lines.get(
            answer.status,
            f"X's API answered {answer.status} for @{handle}; try again later, {FREE_ADVICE}",
        )
    )
