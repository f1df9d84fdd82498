"""The sentences of the example account: a small grammar with many lexical choices.

In: a random generator. Out: a made-up sentence of some 40 to 140 characters. `{name}` in a pattern
is replaced by one of the choices in WORDS, which may hold such names themselves. The account is a
tinkerer's, so that one sees at a glance what a model has learnt from it.
"""

import re
from random import Random

WORDS = {
    "time": """
        this morning|tonight|last night|before breakfast|after work|on Sunday|all weekend|
        every Tuesday|at three in the morning|between two meetings|during lunch|
        right after the rain|on the last train home|while the kettle boiled|
        before the neighbours woke up|at the end of a long day|
        on the first cold day of the year|in the middle of the night
    """,
    "place": """
        in the shed|on the balcony|at the harbour|in my tiny kitchen|behind the library|
        at the repair cafe|on the roof|in the garage|at the flea market|by the canal|
        in the attic|at the bus stop|under the kitchen table|in the community garden|
        on the night bus|at the hardware store|in the back of the van|next to the radiator
    """,
    "machine": """
        robot|weather station|bread machine|radio|drone|3D printer|bicycle lamp|synthesizer|
        telescope|coffee grinder|typewriter|record player|sewing machine|water pump|
        greenhouse heater|chess computer|model railway|plotter|soldering iron|label maker|
        kite camera|metal detector|music box|solar oven
    """,
    "quality": """
        tiny|gigantic|half-finished|second-hand|bright orange|suspiciously quiet|very polite|
        slightly haunted|homemade|waterproof|wobbly|brand new|ninety-year-old|solar-powered|
        stubborn|surprisingly fast|cardboard|perfectly useless|battery-free|slow but honest
    """,
    "food": """
        pancakes|tomato soup|sourdough|lentil curry|blueberry pie|noodles|cinnamon rolls|
        cheese toast|dumplings|rhubarb jam|potato salad|roasted chestnuts|mushroom risotto|
        lemon cake|pumpkin bread|pickled onions|apple crumble|ginger biscuits
    """,
    "person": """
        my sister|the neighbour|my grandmother|a stranger on the tram|the librarian|
        my old teacher|the kid next door|our postman|a retired sailor|my best friend|
        the woman from the bakery|a very patient electrician|my uncle|the whole street|
        somebody's dog|the tuba player upstairs|the new intern|my landlord
    """,
    "skill": """
        solder|bake bread|read a map|fix a bicycle|whistle in tune|fold paper cranes|
        grow tomatoes|write Rust|play the accordion|sharpen a knife|tie a bowline|
        count in binary|sew a button|juggle|restore old radios|draw a straight line|
        name the stars|make proper tea
    """,
    "feeling": """
        proud|tired|ridiculously happy|a bit nervous|calm|hungry|like a genius|
        like a beginner again|very old|grateful|confused|ready for anything|weirdly hopeful|
        almost famous|homesick|unstoppable|suspicious|at peace
    """,
    "verb": """
        built|repaired|found|painted|took apart|borrowed|dropped|finished|sold|rescued|rebuilt|
        tested|lost|named|carried home|photographed|measured|gave away
    """,
    "dream": """
        build|repair|own|paint|invent|rescue|understand|teach|sail home with|open a museum for|
        write a song about|live with
    """,
    "town": """
        Lisbon|Tromsø|Kyoto|Ghent|Oaxaca|Tartu|Galway|Ljubljana|Halifax|Bergen|Turin|Valparaíso|
        Cork|Nagasaki|Utrecht|Porto|Aarhus|Leipzig
    """,
    "number": """
        two|three|four|five|seven|nine|eleven|twelve|fourteen|twenty|thirty-one|forty|
        ninety-nine|two hundred
    """,
    "unit": """
        hours|days|weeks|tries|screws|cups of coffee|failed prototypes|bus rides|broken fuses|
        library books|phone calls|rainy afternoons
    """,
    "lesson": """
        measure twice|always label the cables|read the manual first|ask for help sooner|
        buy better batteries|eat something first|never trust a quiet fuse|keep the receipts|
        write it down|go outside more|start with the smallest screw|sleep on it|
        clean the workbench
    """,
    "noise": """
        hums|purrs|squeaks|beeps politely|rattles|sings|coughs|clicks like a beetle|whistles|
        snores|ticks|laughs
    """,
    "weather": """
        the rain|the fog|the first snow|a thunderstorm|the heat|the wind|the late sun|the hail|
        a rainbow|the morning frost
    """,
    "emoji": """🤖|🌧️|☕|✨|🔧|🚲|🍞|🎶|🌱|🛠️|😅|🥹|🔋|📻|👩‍🔧|🌙""",
    "tag": """
        #makers|#repaircafe|#robots|#slowtech|#baking|#opensource|#allotment|#nightbus|
        #hamradio|#todayilearned
    """,
    "friend": """
        @maya_solder|@tomfixes|@bakerjune|@radio_ines|@old_otto|@kite_club|@repair_cafe|
        @nightbus_n7
    """,
    "noun": """
        the {quality} {machine}|my {machine}|a {quality} {machine}|that {machine}|the {machine}
    """,
    "end": """.|.|.|.|!|. {emoji}|! {emoji}|. {tag}""",
}
PATTERNS = """
    My dream is to {dream} a {quality} {machine} with {person}{end}
    My dream is a {quality} {machine} {place}, {food} and nothing else{end}
    My dream is to move to {town} and {skill} {time}{end}
    I {verb} {noun} {place} {time} and now I feel {feeling}{end}
    {person} {verb} {noun} {time}, so I made {food}{end}
    It took {number} {unit}, but {noun} finally {noise}{end}
    Note to self: {lesson} before you touch {noun} {place}{end}
    If {noun} {noise} {time}, {lesson} & try again{end}
    {person} asked me to {skill} {time} and I said yes, because {weather} made me {feeling}{end}
    Nobody in {town} believes that {noun} {noise} {place}{end}
    Today's lesson from {person}: {lesson}, then {lesson}{end}
    I can {skill} & {skill}, but I can't explain {noun} to {person}{end}
    After {number} {unit} {place} I know one thing: {lesson}, or call {person}{end}
    {weather} came early, so we ate {food} {place} and listened to {noun}{end}
    {friend} the {quality} {machine} {noise} again, please bring {food}{end}
    Unpopular opinion: {food} > {food}, and {noun} should never leave {town}{end}
    I <3 {weather} {time}, but {noun} {place} does not{end}
    Every {machine} is a {machine} if {person} is {feeling} enough{end}
    We {verb} {number} {unit} worth of {machine} parts {place}, ask {person}{end}
    Why is it always {noun} that {noise} {time}, never the {machine} {place}?
    Dear {person}, thank you for the {food}, {noun} is {feeling} now{end}
    {time} I will {skill} {place} until {weather} stops{end}
    Thinking about {town} {time}: {food}, {weather}, a {quality} {machine}{end}
    Somebody {verb} a {quality} {machine} {place} and {person} calls it art{end}
"""
SHORT = """
    lol|night {emoji}|same {emoji}|{friend} yes|{friend} thank you!|
    {friend} {friend} {emoji}|why|{emoji}{emoji}{emoji}|oh no|Coffee {emoji}|{tag} {tag}|
    brb|{friend} so true|finally home|this {emoji}|Good morning|{friend} haha|hello {town}|
    rainy again|no comment {tag}|tea time
"""


def split_choices(alternatives: str, separator: str) -> list[str]:
    return [" ".join(choice.split()) for choice in alternatives.strip().split(separator)]


CHOICES = {name: split_choices(alternatives, "|") for name, alternatives in WORDS.items()}
SENTENCES, SHORTS = split_choices(PATTERNS, "\n"), split_choices(SHORT, "|")
SLOT = re.compile(r"{(\w+)}")


def expand(pattern: str, random: Random) -> str:
    """Fill a pattern's slots, and the slots in what fills them, with random choices."""
    while slot := SLOT.search(pattern):
        pattern = pattern[: slot.start()] + random.choice(CHOICES[slot[1]]) + pattern[slot.end() :]
    return pattern[:1].upper() + pattern[1:]


def make_sentence(random: Random) -> str:
    """Return a sentence of at least three plain words."""
    return expand(random.choice(SENTENCES), random)


def make_short_text(random: Random) -> str:
    """Return a text with fewer than three words besides mentions and hashtags."""
    return expand(random.choice(SHORTS), random)
