"""Texts that apps write in people's names: check-ins, scores, likes, titles of shared pages.

In: a text without its links, and whether it had one. Out: whether an app wrote it.
"""

import re

# Posts by apps carry a link; without one, the same words are the author's own.
POSTED_BY_APPS = re.compile(
    r"""
    ^(?:
        I\ just\ (?:unlocked|earned|reached)\ .{1,60}\b(?:badge|achievement|trophy|level|sticker)\b
        |I\ just\ (?:ousted|became\ the\ mayor|backed|entered\ to\ win)\b
        |I\ (?:liked|favou?rited|added)\ a\ (?:@?YouTube\ )?video\b
        |I\ (?:posted|uploaded|added|published)\ (?:a|an|\d+)\ (?:new\ )?
            (?:@?YouTube\ )?(?:photos?|videos?)\ (?:to|on|in)\b
        |(?:Me\ ha\ gustado|Me\ gusta|Gostei\ de|Ich\ mag|J[’']aime|Mi\ piace)\b
            .{0,12}\bv[ií]d[eé]o.{0,12}\bYouTube
        |(?:Ich\ mag\ ein\ @YouTube-Video|@YouTube\ の動画を高く評価しました)
        |(?:Just\ posted\ a|Acabo\ de\ publicar\ (?:una|un)|Gerade\ ein
            |Acabei\ de\ publicar\ (?:uma|um))
            \ (?:photo|video|foto|v[ií]deo|Foto|Video)\b
        |(?:I\ )?[Jj]ust\ (?:completed|finished|ran|posted|did)\ .{0,40}
            \b(?:[Rr]un[Kk]eeper|Nike\+?|Endomondo|Strava|Garmin|TomTom|Runtastic)\b
        |My\ (?:fitbit\ \#fitstats|week\ on\ Twitter|Top\ \d+\ \#?[Ll]ast\.?fm
            |biggest\ fans\ this\ week)
        |How\ I\ did\ on\ Twitter\ this\ week
        |(?:Today\ stats|Daily\ Stats|New\ stats):
        |(?:[Oo]ne\ person|\d+\ people)\ (?:followed|unfollowed)\ me\b
        |I(?:'|’)ve\ (?:collected|harvested)\ [\d,.]+\ .{0,60}\#
        |\#[Nn]ow[Pp]laying\b|Now\ [Pp]laying:|[♫♬♪]
        |I(?:'|’)m\ at\ [^()]{1,60}\([^()]*\)\s*(?:w/.*)?$
        |(?:I(?:'|’)m\ )?[Dd]rinking\ an?\ .{1,60}\ by\ @
        |(?:Photo|Photoset|Video):\s
        |The\ .{1,60}\ is\ out!\s*(?:$|▸|Stories\ via|https?:|Edition\ of)
    )
    |\#PS[45]share\b
    |[/(]\s*automatically\ checked\ by\b
    |\bvia\ @(?:
        YouTube|Change|[Ss]hare[Tt]his|[Aa]dd[Tt]his|wordpressdotcom|[Pp]ocket|Flipboard
        |Kickstarter|BuzzFeed|nytimes|guardian|HuffPost
    )\s*$
    """,
    re.VERBOSE,
)
WORDLE = re.compile(r"Wordle\ [\d,.]+\ [X\d]/6", re.VERBOSE)


def is_written_by_app(text: str, has_link: bool) -> bool:
    """Return True if an app wrote a text, which is given without its links."""
    return (has_link and POSTED_BY_APPS.search(text) is not None) or bool(WORDLE.match(text))
