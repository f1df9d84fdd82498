"""Apps that post by themselves, told by their names and by the shape of what they post.

In: an author's posts, in their cleaned text, with the app of each. Out: those of automatic apps.
What people type with is never automatic. Feeds, which repeat the titles of pages, always are. Any
other app is if its posts are of a few shapes, apart from links and numbers: they begin or end with
the same words. One that is no scheduler is also if it only shares titles of pages, while its author
types elsewhere. Traded: an app of fewer posts than MIN_POSTS is taken for a person.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from hubtweets.curation.app_texts import is_own_sentence
from hubtweets.posts.post import Post

MIN_POSTS = 5
MIN_LINK_POSTS = 20  # of an app that only shares links
MAX_OWN_SHARE = 0.3  # of them that are sentences, as of a camera with captions
MAX_SHAPES = 3
MIN_SHAPE_POSTS = 3
MIN_SHAPE_SHARE = 0.1  # of the app's posts, for each shape
MAX_OTHER_SHARE = 0.2  # of the app's posts may have none of the shapes
SHAPE_CHARS = 200  # of a text's beginning and end

TYPED_WITH = re.compile(
    r"""
    (?:Twitter|X)(?:\s(?:Web|for|Lite|Media|Ads|Engage)\b.*)? | Tweet\s?Deck.* | Mobile\ Web.*
    | web | txt | Twitter(?:rific|fon|fox).* | Tweet(?:bot|caster|ie|ings|logix|ium|chat|list)\b.*
    | (?:iOS|OS\ X|Mac\ OS\ X|.*\bon\ (?:iOS|OS\ X|Mac\ OS\ X)) | (?:Über|Uber)(?:Social|Twitter).*
    | (?:Echofon|Plume|Seesmic|twhirl|Fenix|Talon|Carbon|Osfoora|Janetter|Metrotwit|Mixero)\b.*
    | (?:Twidroyd?|Twidroid|Gravity|Snaptu|Hibari|YoruFukurou|twicca|Krile|(?:Open)?Tween)\b.*
    | (?:feather|Silver\ Bird|Chromed\ Bird|dabr|Slandr|Brizzly|DestroyTwitter|Nambu)\b.*
    | (?:Choqok|Gwibber|Turpial|Hotot|Corebird|Cawbird|TTYtter|oysttyer|Rowi|Mehdoh|Aviary)\b.*
    | (?:Twipple|ついっぷる|モバツイ|夜フクロウ|Keitai\ Web|jigtwi|SobaCha|Peraperaprv)\b.*
    | (?:Spaz|Digsby|Trillian|Ping\.fm|Peep|Nokia|BlackBerry|Windows\ Phone|Spring|Albatross)\b.*
    | (?:Instagram|Vine|Path|TwitPic|yfrog|EyeEm|Hipstamatic|Facebook|LinkedIn|Periscope)\b.*
    | (?:Typefully|Hypefury|Chirr\ App|Moa\ Bridge|Mastodon.*Crossposter|Openvibe|Croissant)\b.*
    """,
    re.VERBOSE | re.IGNORECASE,
)
SCHEDULER = re.compile(
    r"(?:Buffer|HootSuite|Sprout ?Social|Sprinklr|SocialFlow|SocialOomph|Later|Zoho Social|CoTweet"
    r"|Crowdfire|CoSchedule|ContentStudio|SocialBee|Percolate|Spredfast|Khoros|Sendible|Fedica"
    r"|Postcron|MavSocial|Agorapulse|Emplifi|Meltwater|Loomly|Publer)\b.*",
    re.IGNORECASE,
)
FEED = re.compile(
    r"(?:twitterfeed|dlvr\.it|IFTTT|Zapier(?:\.com)?|paper\.li|Pearltrees|RSS ?Graffiti|FeedBlitz"
    r"|Networked ?Blogs|WordPress\.com|(?:Tweet ?my)?last\.?fm|kinopoisk|КиноПоиск|unfollowers?\.me"
    r"|justunfollow|fllwrs|who\.unfollowed\.me|Twittascope|feed2tweet|rss2twitter|tweetymail"
    r"|scoop\.it|Tweeted ?Times|commun\.it|SumAll|Google2Tweet|HatenaBlog|TrueTwit)",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
UNSPACED = re.compile(r"[\u0e00-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def find_posts_by_apps(posts: Sequence[Post]) -> list[int]:
    """Return the indices of the posts by automatic apps among an author's posts."""
    by_app: dict[str, list[int]] = defaultdict(list)
    for index, post in enumerate(posts):
        if post.app:
            by_app[post.app].append(index)
    typed_with = {app for app in by_app if TYPED_WITH.fullmatch(app)}
    types = sum(len(by_app[app]) for app in typed_with) >= MIN_POSTS
    found: list[int] = []
    for app in by_app.keys() - typed_with:
        if is_automatic(app, [posts[index] for index in by_app[app]], types):
            found += by_app[app]
    return sorted(found)


def is_automatic(app: str, posts: Sequence[Post], types_elsewhere: bool) -> bool:
    """Return True if an app that nobody types with posts by itself; `posts` are those by the app.

    `types_elsewhere` says that their author types posts with other apps.
    """
    if FEED.fullmatch(app) or have_few_shapes([post.text for post in posts]):
        return True
    if not types_elsewhere or len(posts) < MIN_LINK_POSTS or SCHEDULER.fullmatch(app):
        return False
    if not all(post.link and post.kind == "post" for post in posts):
        return False
    own = sum(is_own_sentence(post.text) for post in posts)
    return own < len(posts) * MAX_OWN_SHARE


def have_few_shapes(texts: Sequence[str]) -> bool:
    """Return True if almost all texts begin or end with one of a few shapes."""
    if len(texts) < MIN_POSTS:
        return False
    rest = [list_shapes(text) for text in texts]
    least = max(MIN_SHAPE_POSTS, len(texts) * MIN_SHAPE_SHARE)
    for _ in range(MAX_SHAPES):
        counts = Counter(shape for shapes in rest for shape in shapes)
        shape, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
        if count < least:
            return False
        rest = [shapes for shapes in rest if shape not in shapes]
        if len(rest) <= len(texts) * MAX_OTHER_SHARE:
            return True
    return False


def list_shapes(text: str) -> set[str]:
    """Return how a text begins and ends, by its first and last two words with 0 for each number.

    A first word that is a label (`Photo:`, `♫`) is a shape too. Hashtags at the end are none: they
    name what the text is about. In scripts without spaces the shapes are some characters.
    """
    if UNSPACED.match(text) or UNSPACED.search(text[-2:]):
        return {"^" + NUMBER.sub("0", text[:SHAPE_CHARS])[:4], text[-6:] + "$"}
    first = NUMBER.sub("0", text[:SHAPE_CHARS].casefold()).split()[:2]
    last = NUMBER.sub("0", text[-SHAPE_CHARS:].casefold()).split()[-2:]
    shapes = {"^" + " ".join(first)}
    if first and (first[0].endswith(":") or not any(map(str.isalnum, first[0]))):
        shapes.add("^" + first[0])
    if not all(word.startswith("#") for word in last):
        shapes.add(" ".join(last) + "$")
    return shapes
