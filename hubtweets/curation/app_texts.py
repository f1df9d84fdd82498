"""Texts that apps write in people's names: check-ins, scores, likes, titles of shared pages.

In: a text without its links, whether it had one, and the text as it was written. Out: whether an
app wrote it. Few people write such words with a link beside them, and when they do, they add some
of their own. Traded: a page's title that reads as somebody's own sentence is taken for one.
"""

import re

import regex

MAX_APP_CHARS = 500  # of a text by an app; this also bounds the time that the patterns take
MAX_ENDING_CHARS = 40

# Without a link, too: the result of a game, and artists with how often each was played.
RESULTS = re.compile(
    r"Wordle [\d,.]+ [X\d]/6|(?:Quordle|Octordle|Worldle|Heardle|Nerdle|Framed) #?\d[\d,.]*"
    r"|.{0,60}#@?[Ll]ast\.?[Ff][Mm]\b.{1,60}\(\d+\)"
)
# Links of services that repeat other pages, if they are still in the text.
FEED_LINK = re.compile(r"https?://(?:ift\.tt|dlvr\.it|pear\.ly|paper\.li|tweetedtimes\.com)/")
YOUTUBE = r"""
    Check\ out\ this\ (?:awesome\ )?video\ on\ @YouTube\b
    |Me\ gust[óa]\ el\ v[ií]deo:\ .{1,80}@YouTube\b
    |I\ (?:liked|favou?rited|rated|commented\ on)\ an?\ @?YouTube\ video\b
    |I\ (?:liked|favou?rited)\ a\ video\ (?:on|from)\ @?YouTube\b
    |I\ (?:added|uploaded)\ a\ (?:new\ )?(?:@?YouTube\ video|video\ to\ an?\ @?YouTube)\b
    |I\ subscribed\ to\ .{1,60}\ on\ @?YouTube\b
    |(?:Мне\ )?[Пп]онравил(?:о|а)сь\ (?:видео|ролик)\b.{0,80}@YouTube
    |(?:Я\ )?(?:[Дд]обавил|[Зз]агрузил|[Оо]ценил|[Оо]публиковал)(?:\(а\)|а)?\ (?:новое\ )?видео\b
        .{0,40}@YouTube
    |Видео\b.{0,80}(?:добавлено|загружено|понравилось|опубликовано)\b.{0,30}@YouTube
    |Ich\ (?:mag|habe)\ (?:ein|das)\ .{0,40}@YouTube
    |(?:Me\ (?:ha\ gustado|gust[aó])|(?:He\ )?(?:[Aa]ñadido|[Ss]ubido|[Mm]arcado)
        |Agregué|Añadí|Subí)\ un\ v[ií]deo\b.{0,60}@?YouTube
    |J['’](?:aime|ai\ (?:aimé|ajouté|mis\ en\ ligne))\ une\ vidéo\b.{0,40}@?YouTube
    |(?:Gostei\ de|Adicionei|Enviei|Carreguei|Marquei)\ um\ v[ií]deo\b.{0,40}@?YouTube
    |(?:Mi\ piace|Ho\ (?:aggiunto|caricato|valutato))\ un\ video\b.{0,40}@?YouTube
    |Ik\ (?:vind|heb)\ een\ .{0,40}@YouTube
    |(?:Podoba\ mi\ się|Dodał[ae]m|Polubił[ae]m)\ (?:film|wideo)\b.{0,40}@YouTube
    |Bir\ @YouTube\ (?:video|oynatma)
    |(?:@YouTube\ )?(?:の\ ?)?(?:動画を高く評価しました|再生リストに動画を追加しました)
    |(?:@YouTube\ )?(?:동영상을\ 좋아합니다|재생목록에\ 동영상을\ 추가했습니다)
"""
# How such a text begins; or the whole text, if people go on after that beginning.
OPENINGS = re.compile(
    YOUTUBE
    + r"""
    |I\ just\ (?:unlocked|earned|reached)\ .{1,60}\b(?:badge|achievement|trophy|level|sticker)\b
        (?=\ (?:on|in|at)\b|[!.]|$)
    |I\ just\ (?:ousted|became\ the\ mayor\ of|entered\ to\ win)\b
    |I\ just\ checked\ in\ at\ .{1,60}\ (?:with|on)\ [\#@]
    |I\ just\ backed:\ .{1,100}$
    |I\ (?:just\ )?backed\ .{1,100}\ on\ @?(?:Kickstarter|Indiegogo|Patreon)[.!]?$
    |I\ scored\ [\d,.]+\ (?:points\ )?(?:in|on|at)\b
    |I\ (?:posted|uploaded|added|published)\ (?:an?|\d+)\ (?:new\ )?(?:photos?|videos?)
        \ (?:to|on|in)\ (?:@?(?:YouTube|Facebook|Flickr|Instagram|Vimeo)|the\ album)\b
    |(?:Just\ posted\ an?\ (?:photo|video)|Acabo\ de\ publicar\ una?\ (?:foto|v[ií]deo)
        |Gerade\ ein\ (?:Foto|Video)\ (?:gepostet|veröffentlicht)
        |Je\ viens\ de\ publier\ une\ (?:photo|vidéo)
        |Ho\ appena\ pubblicato\ (?:una\ foto|un\ video)
        |Acabei\ de\ publicar\ uma?\ (?:foto|v[ií]deo))(?:\ (?:@|à|en|em|in|presso)\ .{1,80})?$
    |(?:I\ )?[Jj]ust\ (?:completed|finished|ran|posted|did)\ .{0,40}
        \b(?:[Rr]un[Kk]eeper|Nike\+?|Endomondo|Strava|Garmin|TomTom|Runtastic)
        (?=[.!:;,]|\ (?:[-–|\#]|GPS|Running|FuelBand|Connect)|\W*$)
    |(?:My\ fitbit\ \#fitstats|My\ week\ on\ Twitter\W*:|(?:My|Our)\ biggest\ fans\ this\ week)
    |Who\ unfollowed\ me\b.{0,80}\b(?:at|with|via|by)\W*$
    |How\ I\ did\ on\ Twitter\ this\ week
    |(?:[♫♬♪]\s*)?(?:My\ )?[Tt]op\ .{0,40}\#?@?[Ll]ast\.?[Ff][Mm]\b
    |(?:Today\ stats|Daily\ Stats|New\ stats):\ .{0,40}\b(?:un)?follow
    |(?:[Oo]ne\ person|\d+\ people)\ (?:followed|unfollowed)\ me(?:\ and\b|\ //|\W*$)
    |I(?:'|’)ve\ (?:collected|harvested)\ [\d,.]+\ .{0,60}\#
    |I(?:'|’)m\ at\ [^()]{1,60}\([^()]*\)\s*(?:w/.*)?$
    |(?:I(?:'|’)m\ )?(?:[Ll]istening\ to|[Ww]atching)\ .{1,80}
        \ on\ [@\#]?(?:Pandora|Spotify|Deezer|GetGlue|AppleMusic|TIDAL)(?:\W+\#\w+)*\W*$
    |A\ new\ favorite:\ .{1,100}\ on\ [@\#]?SoundCloud
    |Just\ [Pp]inned\ to\ .{1,60}:\ (?!an?\ )
    |\d\ of\ 5\ stars\ to\ .{1,100}\ by\b
    |(?:I\ finished\ reading|Marked\ as\ to-read:|Currently\ reading)\ [A-Z].{1,100}\ by\ [A-Z]
    |I\ rated\ .{1,80}\ \d+/10\b.{0,20}\bIMDb\b
    |(?:Я\ )?[Оо]ценил(?:\(а\)|а)?\ (?:фильм|сериал)\ .{1,80}\ на\ \d+
    |(?:Фильм\ .{1,80}:\ )?[Мм]оя\ оценка\b.{1,80}\b\d+\ ?(?:из|/)\ ?10\b
    |(?:.{1,80}\ is\ out!|The\ latest\ .{1,60}!)\s*(?:▸|Stories\ via\b|Thanks\ to\ @|Edition\ of\b)
    |.{1,80}\ (?:ya\ está\ disponible|est\ sorti|ist\ erschienen|è\ uscito|está\ disponível)\ ?!
        \ (?:Gracias\ a|Merci\ à|Danke\ an|Grazie\ a|Obrigado\ a)\ @
    |The\ .{1,50}\b(?:Daily|Weekly|News|Times|Gazette|Post|Herald|Journal|Digest)\ is\ out!$
    """,
    re.VERBOSE,
)
ENDINGS = re.compile(
    r"""
    \#PS[45]share\b
    |[/(]\s*automatically\ checked\ by\b
    |\b(?:via|by)\ @?(?:IFTTT|twitterfeed|Crowdfire\w*|commun\.?it|SumAll|justunfollow)\W*$
    |(?:\b(?:via|on|in)\ @?|[|\#]\ ?)[Pp]earltrees\W*$
    |\#(?:IFTTT|last\.?fm)\W*$
    """,
    re.VERBOSE,
)
# The title of a song, a picture or a beer, to which the author may add a comment.
TITLE = re.compile(
    r"""
    (?:\#[Nn]ow[Pp]laying\b:?|Now\ [Pp]laying\b:?|[♫♬♪]
        |(?:I(?:'|’)m\ )?[Dd]rinking\ an?\ (?=.{1,60}\ by\ @)
        |(?=(?:Photo|Photoset|Video):\s))
    """,
    re.VERBOSE,
)
# People write such words too, so the title after them must have capitals.
NEW_PAGE = re.compile(
    r"(?:New (?:blog )?post|I['’]ve just posted a new blog|Sign the [Pp]etition): "
)
SHARED_VIA = re.compile(r"\b(?:via|vía) @(\w+)$")
# Their buttons share a title with "via @name"; those of others must have capitals.
SHARED_BY = re.compile(
    r"YouTube|(?:UK)?Change|ShareThis|AddThis|wordpressdotcom|Pocket|Flipboard|Kickstarter"
    r"|BuzzFeed|nytimes|guardian|HuffPost",
    re.IGNORECASE,
)
OWN_WORDS = regex.compile(
    r"""
    ^\W*\p{Ll}          # a title begins with a capital, and has no full stop
    |[.!…]\W*$
    |\b(?:me|my|we|us|our|you|your|why)\b|\bI(?:['’]\p{Ll}+)?\ \p{Ll}
    |[,;.!?…]\s(?:\p{Ll}[\p{Ll}'’]*+\s+){2,}+\p{Ll}+\W*$  # a clause after the title
    """,
    regex.VERBOSE,
)
LONG_SMALL_WORD = regex.compile(r"(?<![\w'’])\p{Ll}{5,}")


def is_written_by_app(text: str, has_link: bool, written: str) -> bool:
    """Return True if an app wrote a text, which is `written` without its links."""
    if len(text) > MAX_APP_CHARS:
        return False
    if RESULTS.match(text) or FEED_LINK.search(written):
        return True
    if not has_link:
        return False
    ending = text[-MAX_ENDING_CHARS:]
    if OPENINGS.match(text) or ENDINGS.search(ending):
        return True
    if found := TITLE.match(text):
        return not is_own_sentence(text[found.end() :])
    if found := NEW_PAGE.match(text):
        return is_capitalized(text[found.end() :])
    if found := SHARED_VIA.search(ending):
        title = text.removesuffix(found[0])
        is_known = SHARED_BY.fullmatch(found[1])
        return not is_own_sentence(title) if is_known else is_capitalized(title)
    return False


def is_own_sentence(text: str) -> bool:
    """Return True if a text reads as somebody's own sentence, and not as the title of a page."""
    return len(text) > MAX_APP_CHARS or OWN_WORDS.search(text) is not None


def is_capitalized(text: str) -> bool:
    """Return True if all words of five letters or more have a capital."""
    return not is_own_sentence(text) and LONG_SMALL_WORD.search(text) is None
