"""Posts that are labelled by hand as an app's or as the author's own, to measure curation with.

`L` in a text stands for a link. All are made up, in the forms that services use.
"""

BY_APPS = """
I liked a @YouTube video L How to Solder: A Guide for Beginners
I liked a YouTube video -- Sourdough in Ten Steps L
I added a video to a @YouTube playlist L Cheese caves of the Jura
I uploaded a @YouTube video L my kitchen robot, part 3
I favorited a @YouTube video from @somechannel L Night trains
I commented on a @YouTube video L The slow repair
I subscribed to Repair Café's channel on @YouTube L
Мне понравилось видео на @YouTube: L Как починить тостер
Понравилось видео "Как починить тостер" (L на @YouTube)
Я добавил(а) видео в плейлист на @YouTube L Ночные поезда
Я загрузил(а) видео на @YouTube L Моя кухня
Видео добавлено в плейлист @YouTube L Сыр и хлеб
Ich mag ein @YouTube-Video: L Brot backen für Anfänger
Ich habe ein @YouTube-Video positiv bewertet: L Nachtzüge
Ich habe ein Video zu einer @YouTube-Playlist hinzugefügt: L Löten lernen
Ich habe ein neues Video bei @YouTube hochgeladen: L Die Küche
Me ha gustado un vídeo de @YouTube (L - Cómo soldar
Me gustó un video de @YouTube L Cómo hacer pan
He añadido un vídeo a una lista de reproducción de @YouTube (L - Trenes nocturnos
He subido un vídeo a @YouTube (L - Mi cocina
Agregué un video a una lista de reproducción de @YouTube L Trenes
J'aime une vidéo @YouTube : L Le pain au levain
J’ai ajouté une vidéo à une playlist @YouTube : L Les trains de nuit
J'ai mis en ligne une vidéo @YouTube : L Ma cuisine
Gostei de um vídeo @YouTube L Como soldar em casa
Adicionei um vídeo a uma playlist @YouTube L Trens noturnos
Enviei um vídeo @YouTube L Minha cozinha
Mi piace un video di @YouTube: L Il pane di casa
Ho aggiunto un video a una playlist di @YouTube: L Treni notturni
Ik vind een @YouTube-video leuk: L Solderen voor beginners
Podoba mi się film wideo w @YouTube: L Nocne pociągi
Bir @YouTube videosunu beğendim L Ekmek nasıl yapılır
@YouTube の動画を高く評価しました L はんだ付けの基本
@YouTube 再生リストに動画を追加しました L 夜行列車の旅
The Cork Daily is out! L Stories via @bob @carol
Slow Tech Weekly is out! L Stories via @bob
Repair News is out! L ▸ Top stories today via @carol
The latest The Solder Times! L Thanks to @bob @carol #repair #diy
The Bread Gazette is out! L
My Top 3 #lastfm Artists: Low (24), The xx (12) & Can (9)
My top 3 #lastfm artists: Nina Simone (14), Low (8) & Broadcast (7) L
♫ My Top 3 Weekly #lastfm artists: Can (7), Neu! (5), Faust (4) L via @lastfm
Mes 3 artistes #lastfm : Air (10), Zaz (4), M (2) L
Top Artists this week via #lastfm: Low (5), Can (3), Neu! (2) L
Я оценил фильм «Солярис» на 9 из 10 на КиноПоиске L
Оценил(а) фильм «Зеркало» на 8 из 10 L
Моя оценка фильму «Сталкер» — 10 из 10 L #кинопоиск
Фильм «Ирония судьбы»: моя оценка 7/10 L КиноПоиск
I rated Stalker (1979) 9/10 #IMDb L
Night trains are coming back to Europe L via IFTTT
New photo on Flickr: harbour at night L #IFTTT
A weekend of bread in the Jura L via twitterfeed
How to sharpen a chisel | Pearltrees L
Wood joints by carpenter on @Pearltrees L
Current weather in Cork: light rain, 11C http://ift.tt/1abcdef
Ten ways to save a wet phone http://dlvr.it/abc12
Old radios and how they work http://pear.ly/cx3ab
I just backed Open Source Kettle on @Kickstarter L
I just backed: The Bread Machine Movie L
I just unlocked the “Super Mayor” badge on @foursquare! L
I just ousted Bob as the mayor of Cork Station on @foursquare! L
I'm at Starbucks (Cork, Ireland) w/ 3 others L
Just posted a photo @ Cork Harbour L
Just posted a video L
Acabo de publicar una foto en Puerto de Cork L
Just completed a 5.02 km run with @Runkeeper. Check it out! L
My fitbit #fitstats for 11/3/2014: 8,213 steps and 5.9 km traveled. L
How I did on Twitter this week: 3 New Followers, 4 Mentions L via SumAll
Today stats: One follower, No unfollowers via L
One person followed me and 2 people unfollowed me // automatically checked by L
I've collected 12,450 gold coins! L #android, #androidgames, #gameinsight
#NowPlaying Some Song by Some Band L
#nowplaying Could You Be Loved by Bob Marley & The Wailers on @Spotify L
Now Playing: Low - Sunflower L
♫ Just Like Heaven – The Cure L #NowPlaying
Drinking a Night Train Porter by @corkbrewing at @thepub — L #photo
Photo: the harbour in 1920 L
Video: how bread was made L
How to Solder: A Guide L via @YouTube
Is Slow Tech the Future of Repair? L via @nytimes
Scientists find a cheese that lasts for ever L via @guardian
Petition to Save the Old Cork Station L via @Change
Wordle 1,234 4/6 and so on
I voted on a playlist I made: Sleepy Songs L #PS4share
A new favorite: Night Drive by Can on @SoundCloud L
Just pinned to Bread: Rye with seeds L
4 of 5 stars to The Repair Book by A. Writer L
I'm listening to Low on @Pandora L #pandora
I liked a @YouTube video from @repairman L Fixing a Radio From 1950
I added a video to a @YouTube playlist from @repairman L Old Clocks
Check out this video on @YouTube: L
Me gustó el video: L Trenes del norte vía @YouTube
Ho aggiunto un video di @someone a una playlist di @YouTube L Pane
Мне понравилось видео пользователя @someone на @YouTube: L
Ich mag ein @YouTube-Video von @someone: L Brot
Gostei de um vídeo @YouTube de @someone L Pão
The Night Train Times is out! L Stories via @bob @carol
¡Repair Daily ya está disponible! L Gracias a @bob @carol
Le Journal du Pain est sorti ! L Merci à @bob
My week on Twitter 🎉: 3 Mentions, 12 Likes, 2 Retweets. See yours with L
Our biggest fans this week: @bob, @carol. Thank you! via L
I just became the mayor of Cork Harbour on @foursquare! L
I just checked in at Cork Harbour with #mPLUSPlaces Download today! L
Sunset at the harbour (@ Cork Harbour in Cork) L
I just earned the 'Cheers to You' badge on @untappd! L
Just ran 6.10 km at a 5:42 pace with @Strava L
Just posted a 3.20 mi run - Evening Run. L #RunKeeper
I just finished running 4.1 miles in 40:12 with #Endomondo L
Now playing Sunflower by Low L
#nowplaying Low - Sunflower ♫ L
#NowPlaying "Night Drive" by Can L
Listening to Night Drive by Can on @AppleMusic L
I've just posted a new blog: Ten Ways to Fix a Kettle L
New post: Ten Ways to Fix a Kettle L
New blog post: Bread in the Jura L
Who unfollowed me today? 3 people. Find out yours at L
Thanks for following me! Check out my site L via @CrowdfireApp
Scientists Discover Slow Cheese L via @BBCNews
The Last Kettle Factory L via @WIRED
Help save the night train - sign the petition! L via @UKChange
Sign the Petition: Save the Station L
I scored 1,240 points in Bubble Game! L #bubble
Daily horoscope: Your careful planning pays off today L
Я прослушал Low - Sunflower L #lastfm
Sunflower – Low L #nowplaying #spotify
I backed The Slow Kettle on @Indiegogo L
Оценила сериал «Мост» на 9 из 10 L #кинопоиск
Wordle 512 3/6*
Quordle 112 5️⃣6️⃣ 7️⃣8️⃣ quordle.com
I finished reading The Repair Book by A. Writer L #Goodreads
Marked as to-read: The Repair Book by A. Writer L
Just became a fan of Low on @bandsintown L
Photo: Kettle, 1932 L
"""

OWN_WORDS = """
I just backed the open source kettle on Kickstarter and you should too, unless you hate freedom L
I just backed this and you should too, unless you hate freedom L
#NowPlaying that song from the lift, why is this catchy? L
#NowPlaying Sunflower by Low, the only thing that gets me through mondays L
Now playing: me pretending to know what my accountant is saying L
♫ I sang this at my sister's wedding and nobody left L
This is the best thing I have seen all week. L via @YouTube
cannot believe nobody told me about this until now L via @YouTube
Well, that explains everything about my kitchen! L via @nytimes
Read this before you buy a kettle, it changed how I boil water L via @guardian
Signed it because my grandmother took that train for forty years. L via @Change
The new album is out! L
The best news is out! We are having a baby L
My book about bread is out! L
I liked the video of the cheese robot so much that I built one L
I liked a video so much once that I called the man who made it L
I uploaded a video of the dog refusing the stairs, as promised L
I added a video to the blog post because nobody believed me L
I posted a photo of the bread and three people asked for the starter L
Just posted a photo of the new kitchen on the blog, feel free to laugh L
Just finished my first run with the Nike+ thing and I can't feel my legs L
Just ran into my ex wearing the Fitbit I bought him L
Just completed the Strava profile of a man who only walks to the fridge L
I just earned my Girl Scout leader badge after twenty years L
I just unlocked the shed for the first time since march L
I’m at my best when (and only when) it rains L
I'm at the station and the train is a bus again L
Мне понравилось видео про котов, весь вечер смеялась L
Понравилось видео, но музыка ужасная, выключил звук L
Я добавил видео в статью, теперь всё понятно L
Оценил фильм по достоинству только со второго раза, советую L
Моя оценка этому городу: дождь и пирожки L
Ich mag das Video, weil der Hund am Ende gewinnt L
Ich habe ein Video vom Brotbacken gemacht, bitte nicht lachen L
Me ha gustado mucho la película, aunque el final no lo entendí L
He añadido fotos de la cocina al blog, por si alguien las quiere L
J'aime bien cette vidéo, surtout la fin avec le chat L
J'ai ajouté du sel et voilà, plus personne ne parle L
Gostei de tudo menos do final, mas vale a pena ver L
Mi piace il pane di ieri più di quello di oggi, non so perché L
One person followed me home from the grocery store, it was a goose L
New stats: 3 coffees, 0 emails answered L
Today stats class was cancelled because the teacher forgot the number L
Drinking a tea by the window while the neighbours argue about hedges L
My top artists this year are all people I know from the bakery L
My top 3 reasons to stay in bed: rain, cat, monday L
Photo day at school and the little one wore a pirate hat L
The latest from our kitchen: the oven works, the light does not L
Thanks to @bob and @carol for carrying the oven up the stairs L
Stories via my grandmother: the train, the goat and the bishop L
great long read about cheese caves L via @anna
what a talk, saw it live and cried a bit L via @bob
If this then that, said my toaster, and burnt the bread L
I love IFTTT but it keeps turning my lights on at night L
Pearltrees was a lovely idea and I miss my old links L
Does anyone still use twitterfeed? asking for a museum L
I rated my own cooking 3/10 and the dog disagreed L
I voted early and got a sticker, so now I am a sticker person L
4 of 5 stars to the baker who sold me yesterday's bread with a smile L
Listening to the rain on a tin roof is better than any playlist L
I'm listening to the neighbours assemble a wardrobe, episode four L
I just reached level two of the car park and gave up L
I've collected all the receipts since 2019 and understood nothing #taxes L
Just pinned to the fridge: a drawing of me as a potato L
How did I do on Twitter this week? two followers, one is my mum L
Wordle was mean today, I blame the letter Y
I made sourdough again and it fell again L
Somebody left a piano in the lift and a note saying sorry L
The museum of failed kettles opens on sunday, bring yours L
Night trains are the only office in which I get things done L
Nobody warns you that adulthood is mostly looking for scissors
My plants are plotting something, they lean towards the door
Train strike again so I walked, met a heron, no regrets
Каждый раз, когда я мою окна, идёт дождь
Der Bus war pünktlich, ich war es nicht
I liked that video less than the comments below it L
I subscribed to a newspaper on paper, like a duke L
Check out this video of my robot falling down the stairs L
Me gustó el tren, me gustó la lluvia y me gustó llegar L
Subí un video del perro, perdón por el ruido L
Ho aggiunto un po' di sale e adesso è perfetto L
Мне понравилось, но второй раз не пойду L
Ich mag Züge, aber nicht um fünf Uhr morgens L
The dog is out! Everybody stay calm L
The cat is out! L
My week on Twitter was mostly kettles L
Our biggest fans are the two pensioners at table four L
I just became the owner of a boat with a hole in it L
I just checked in at the dentist and there is a fish tank L
I just earned ten euros for carrying a sofa, proud L
Just ran for the bus and lost a shoe L
Just finished a 600 page book about salt and I want more L
Just completed my taxes, somebody give me a badge L
Now playing chess against a seven year old and losing badly L
Now playing: the same three chords upstairs, since noon L
#NowPlaying is how I find out that my friends have no taste L
#nowplaying my neighbour's tuba. send help L
♫ happy birthday to me, happy birthday to me L
Listening to the new Low record and it is all noise, in a good way L
New post: I spent a year without a kettle and this is what I learnt L
Who unfollowed me after the kettle thread? cowards L
Thanks for following me into the rabbit hole of old radios L
The best explanation of sourdough I know, and I have read them all L via @BBCNews
So good I missed my stop. L via @WIRED
sign this please, it takes a minute and saves a train L via @Change
I scored a free lamp from the neighbours today L
My horoscope said buy bread, so I did L
I backed my bike into a lamp post, it was not pretty L
I rated this hotel one star and the owner wrote me a poem L
I finished reading the manual and the printer still hates me L
Photo: proof that I was up before seven L
Video killed the radio star and the printer killed me L
Drinking a coffee by @bob, who finally learnt it L
I'm watching the snow on every channel at once L
I'm at the Louvre (finally) and of course it rains L
A new favorite: the word for a day between two holidays L
4 out of 5 dentists and still I eat the toffee L
Today stats: coffee won again L
People followed me, then unfollowed me, such is life L
The latest disaster: I washed the phone L Thanks to everybody who lent me rice
"""

# What each app posts in one archive, and whether it is automatic. `{}` is a title that differs from
# post to post, `#` a number, `*` a whole sentence of the author's.
APPS: list[tuple[str, bool, int, tuple[str, ...]]] = [
    ("Twitter Web App", False, 120, ("*", "* L")),
    ("Twitter for iPhone", False, 80, ("*",)),
    ("web", False, 40, ("*", "@bob *")),
    ("TweetDeck", False, 30, ("* L",)),
    ("Echofon", False, 30, ("*", "* L")),
    ("Tweetbot for iOS", False, 30, ("*", "* L")),
    ("Instagram", False, 30, ("* L",)),
    ("Some Little Client", False, 30, ("*", "@bob *", "* L")),
    ("Rarely Used", False, 3, ("*",)),
    ("Little Camera", False, 30, ("* L",)),
    ("Conference Wall", False, 20, ("* #conf26", "@bob * #conf26")),
    ("Buffer", False, 40, ("* L", "* L")),
    ("Hootsuite Inc.", True, 30, ("New on the blog: {} L",)),
    ("twitterfeed", True, 60, ("{} L",)),
    ("IFTTT", True, 30, ("{} L", "{}")),
    ("Pearltrees", True, 2, ("{} L",)),
    ("Kitchen Radio", True, 25, ("On air now {} L", "Coming up next {}")),
    ("weatherbot42", True, 40, ("Wind # km/h, pressure # hPa, rain # mm",)),
    ("Kinopub", True, 20, ("{} — # из 10 #кино",)),
    ("Some News Sharer", True, 40, ("{} L",)),
    ("Reading List Sync", True, 12, ("{} added to my reading list L",)),
    (
        "Quiz Game",
        True,
        12,
        ("I scored # points in {} and you?", "Can you beat my # points in {}?"),
    ),
    ("Random Titles", True, 10, ("{}",)),
    ("Little Feed", True, 8, ("{} L",)),
    ("Ticker", True, 4, ("Station clock says # and # degrees",)),
    ("今日の体重", True, 12, ("今日の体重は#キロでした {}",)),
]
