"""The patterns of keys and tokens: issuer, pattern and the shape of an example.

In: nothing. Out: `FORMS`, and `SECRET`, one pattern for all of them, with `may_hold_secret`, a
cheap pre-filter. The patterns are adapted from the rules of gitleaks 8
(https://github.com/gitleaks/gitleaks, MIT licence, Copyright (c) 2019 Zachary Rice) and
detect-secrets 1.5 (Yelp, Apache-2.0), and from the issuers' documentation. Traded: a pattern is
looser than the issuer's in length, since a token that is cut or longer is a token too.

In the shape of an example `{a36}` is 36 letters and digits, `x` lower-case hexadecimal ones, `d`
digits, `u` capitals and digits, `w` letters, digits, `_` and `-`. No example is written out, so
that no scanner takes this file for a leak.
"""

import re
from typing import NamedTuple


class Form(NamedTuple):
    """A form of keys or tokens."""

    issuer: str
    pattern: str
    example: str


WITH_DIGIT = r"(?=[\w.~+/-]{0,59}\d)"  # as random characters have and a name in code seldom has
BASE64 = "[A-Za-z0-9/+]"
MIXED_CASE = r"(?=[^A-Z\s]{0,39}[A-Z])(?=[^a-z\s]{0,39}[a-z])"
# eight letters and digits without a separator, as random ones have and words with a year have not
RANDOM = r"(?=(?:[\w+/=~-]{0,52}[_+/=~-])?(?=[A-Za-z]{0,11}\d)(?=\d{0,11}[A-Za-z])[A-Za-z0-9]{8})"
NAME = (
    r"(?:(?:api|access|secret|private|auth|client|account|signing|encryption|webhook)"
    r"[ _-]?(?:key|token|secret)|secret|token|passw(?:or)?d|pwd)"
)
FORMS = (
    Form("Adobe", r"p8e-[a-z0-9]{32}", "p8e-{x32}"),
    Form("age", r"AGE-SECRET-KEY-1[A-Z0-9]{58}", "AGE-SECRET-KEY-1{u58}"),
    Form("Airtable", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}", "pat{a14}.{x64}"),
    Form("Alibaba", r"LTAI[A-Za-z0-9]{20}\b", "LTAI{a20}"),
    Form("Amazon access key", r"A(?:3T[A-Z0-9]|KIA|SIA|BIA|CCA)[A-Z0-9]{16}\b", "AKIA{u16}"),
    Form("Amazon Bedrock", r"ABSK[A-Za-z0-9+/]{100,269}", "ABSK{a110}"),
    Form(
        "Amazon secret key",
        rf"(?<![/+.%&#@=_-])(?={BASE64}{{40}}(?![\w/+=.-])){MIXED_CASE}"
        rf"(?=(?:\D{{0,39}}\d){{2}}){BASE64}{{40}}",
        "{a40}",
    ),
    Form("Anthropic", r"sk-ant-[\w-]{20,}", "sk-ant-api03-{w93}AA"),
    Form("Atlassian", r"ATATT3[\w=-]{50,}|ATBB[A-Za-z0-9]{32}", "ATATT3{w186}"),
    Form("Azure client secret", r"[\w~.]{3}\dQ~[\w~.-]{31,34}", "{a3}8Q~{w31}"),
    Form(
        "Azure services",
        r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}|[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        "{a52}JQQJ99{a26}",
    ),
    Form(
        "Azure shared access",
        r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{43,86}={0,2}|sig=[\w%+/-]{40,}",
        "AccountKey={a86}==",
    ),
    Form("Clojars", r"CLOJARS_[a-z0-9]{60}", "CLOJARS_{x60}"),
    Form("Databricks", r"dapi[a-f0-9]{32}", "dapi{x32}"),
    Form("DigitalOcean", r"do[opr]_v1_[a-f0-9]{64}", "dop_v1_{x64}"),
    Form("Discord bot", r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,38}", "MT{a22}.G{a5}.{w27}"),
    Form(
        "Discord webhook",
        r"(?:ptb\.|canary\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/[\w-]{40,}",
        "discord.com/api/webhooks/{d18}/{w68}",
    ),
    Form("Docker", r"dckr_(?:pat|oat)_[\w-]{20,}", "dckr_pat_{w27}"),
    Form("Doppler", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,}", "dp.pt.{a43}"),
    Form("Dropbox", r"sl\.(?:u\.)?[\w=-]{100,}", "sl.{w135}"),
    Form("Duffel", r"duffel_(?:test|live)_[\w=-]{43}", "duffel_live_{w43}"),
    Form("Dynatrace", r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}", "dt0c01.{u24}.{u64}"),
    Form("EasyPost", r"EZ[AT]K[A-Za-z0-9]{54}", "EZAK{a54}"),
    Form("Facebook, Square", r"EAA[A-Za-z][\w-]{22,}", "EAAA{w60}"),
    Form("Figma", r"figd_[\w-]{40}", "figd_{w40}"),
    Form("Fly.io", r"fo1_[\w-]{43}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,}", "fo1_{w43}"),
    Form(
        "Flutterwave", r"FLW(?:SECK|PUBK)(?:_TEST)?-[A-Za-z0-9]{12,}(?:-X)?", "FLWSECK_TEST-{x32}-X"
    ),
    Form("GitHub", r"gh[opsur]_[A-Za-z0-9]{36,}|github_pat_\w{22,}", "ghp_{a36}"),
    Form(
        "GitLab",
        r"gl(?:pat|agent|cbt|dt|ffct|ft|imt|oas|ptt|rt|rtr|soat|wt)-[\w.-]{20,}"
        r"|GR1348941[\w-]{20,}",
        "glpat-{w20}",
    ),
    Form("Google client", r"GOCSPX-[\w-]{28}", "GOCSPX-{w28}"),
    Form("Google", r"AIza[\w-]{35}|ya29\.[\w-]{20,}|1//0[\w-]{40,}", "AIza{w35}"),
    Form(
        "Grafana", r"glc_[A-Za-z0-9+/]{32,}|glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}", "glsa_{a32}_{x8}"
    ),
    Form("Groq", r"gsk_[A-Za-z0-9]{40,}", "gsk_{a52}"),
    Form("Heroku", r"HRKU-[\w-]{36,}", "HRKU-AA{w58}"),
    Form(
        "Hugging Face", r"(?:hf|api_org)_[A-Za-z0-9]{30,}|hf_(?:oauth|jwt)_[\w.-]{20,}", "hf_{a34}"
    ),
    Form(
        "JSON Web Token",
        r"(?<!-)eyJ[\w-]{10,4000}\.eyJ[\w-]{10,4000}\.[\w-]*",
        "eyJ{a33}.eyJ{a60}.{w43}",
    ),
    Form("Linear", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}", "lin_api_{a40}"),
    Form("Mailchimp", r"[a-f0-9]{32}-us\d{1,2}\b", "{x32}-us14"),
    Form(
        "Mailgun", r"(?:pub)?key-[a-f0-9]{32}|[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}\b", "key-{x32}"
    ),
    Form("Mapbox", r"sk\.eyJ[\w-]{50,}\.[\w-]{20,}", "sk.eyJ{a70}.{a22}"),
    Form("New Relic", r"NR(?:AK|II|JS|RA)-[A-Za-z0-9-]{19,}", "NRAK-{u27}"),
    Form("Nostr", r"nsec1[a-z0-9]{58}", "nsec1{x58}"),
    Form("Notion", r"ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43}", "ntn_{d11}{a35}"),
    Form("npm", r"npm_[A-Za-z0-9]{36}\b", "npm_{a36}"),
    Form("NuGet", r"oy2[a-z0-9]{43}\b", "oy2{x43}"),
    Form("NVIDIA", r"nvapi-[\w-]{60,}", "nvapi-{w64}"),
    Form(
        "OpenAI",
        rf"sk-(?:proj|svcacct|admin|or-v1|lf)-{WITH_DIGIT}[\w-]{{20,}}"
        rf"|sk-{WITH_DIGIT}[A-Za-z0-9]{{20,}}(?![\w-])",
        "sk-proj-{w58}T3BlbkFJ{w58}",
    ),
    Form("OpenShift", r"sha256~[\w-]{43}", "sha256~{w43}"),
    Form("1Password", r"ops_eyJ[A-Za-z0-9+/]{100,}", "ops_eyJ{a250}"),
    Form("Perplexity", r"pplx-[A-Za-z0-9]{32,}", "pplx-{a48}"),
    Form("Pinecone", r"pcsk_\w{60,}", "pcsk_{a69}"),
    Form("PlanetScale", r"pscale_(?:tkn|oauth|pw)_[\w=.-]{32,}", "pscale_tkn_{w43}"),
    Form("Postman", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", "PMAK-{x24}-{x34}"),
    Form(
        "private key",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?:.*PRIVATE KEY-----|.*)",
        "-----BEGIN RSA PRIVATE KEY-----\n{a64}",
    ),
    Form("Pulumi", r"pul-[a-f0-9]{40}", "pul-{x40}"),
    Form("PyPI", r"pypi-[\w-]{50,}", "pypi-AgEIcHlwaS5vcmc{w70}"),
    Form("Replicate", r"r8_[A-Za-z0-9]{37}", "r8_{a37}"),
    Form("RubyGems", r"rubygems_[a-f0-9]{48}", "rubygems_{x48}"),
    Form("SendGrid", r"SG\.[\w-]{16,}\.[\w-]{16,}", "SG.{w22}.{w43}"),
    Form("Sendinblue", r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}", "xkeysib-{x64}-{a16}"),
    Form("Sentry", r"sntr(?:ys_eyJ[\w+/=]{50,}|yu_[a-f0-9]{64})", "sntryu_{x64}"),
    Form("Shopify", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", "shpat_{x32}"),
    Form(
        "Slack",
        r"xox(?:e\.xox)?[abcdepr]-(?=[\w-]{0,30}\d)[\w-]{10,}|xox[os]-\d+-[\w-]{10,}"
        r"|xapp-\d-[\w-]{20,}",
        "xapp-1-A{u10}-{d13}-{x64}",
    ),
    Form(
        "Slack webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[\w+/]{20,}",
        "hooks.slack.com/services/T{u8}/B{u8}/{a24}",
    ),
    Form("Square", r"sq0[a-z]{3}-[\w-]{22,}", "sq0csp-{w43}"),
    Form(
        "Stripe",
        r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/]{24,}",
        "sk_live_{a24}",
    ),
    Form("Supabase", r"sbp_[a-f0-9]{40}|sb_secret_[\w-]{20,}", "sbp_{x40}"),
    Form("Telegram bot", r"\d{8,10}:AA[\w-]{33}\b", "{d10}:AA{a33}"),
    Form("Terraform", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}", "{a14}.atlasv1.{w67}"),
    Form("Twilio", r"(?:AC|SK)[a-f0-9]{32}\b", "SK{x32}"),
    Form("Typeform", r"tfp_[\w.=-]{44,}", "tfp_{w59}"),
    Form(
        "Vault",
        r"hv[bsr]\.[\w-]{24,}|[bs]\.(?=[A-Za-z]{0,23}\d)(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}\b",
        "hvs.{w90}",
    ),
    Form("X bearer", r"A{20}[A-Za-z0-9%]{30,}", "AAAAAAAAAAAAAAAAAAAAAA{a30}%2B{a30}"),
    Form("X access", r"\d{15,20}-[A-Za-z0-9]{40}\b", "{d19}-{a40}"),
    Form("xAI", r"xai-[A-Za-z0-9]{40,}", "xai-{a80}"),
    Form("Yandex", r"AQVN[\w-]{35,38}|t1\.[\w-]+={0,2}\.[\w-]{86}", "AQVN{w36}"),
    Form(
        "address with a password",
        r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/?#@]{0,64}:[^\s/?#@]{1,200}@[\w.-]{1,255}",
        "https://bob:{a12}@example.org",
    ),
    Form(
        "authorization header",
        rf"(?:Bearer|Basic) {WITH_DIGIT}[\w.~+/-]{{20,}}={{0,2}}",
        "Bearer {w40}",
    ),
    Form("named hexadecimal value", r"(?i:key|token|secret) (?:is )?[0-9a-f]{32}\b", "token {x32}"),
    Form(
        "named value",
        rf"(?i:{NAME})[\"'`]?\s{{0,3}}(?:[:=]>?|\bis\b)\s{{0,3}}[\"'`]?(?!0x)"
        rf"{RANDOM}[\w+/=~-]{{20,}}+(?!\.\w|[(\[])",
        "api_key = {a32}",
    ),
)
# A letter before a token makes it another word, unless it is the escape of JSON: "\nghp_..." and
# "\u00e9ghp_...".
START = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4}))"
SECRET = re.compile(
    START + "(?:" + "|".join(form.pattern for form in FORMS) + ")", re.ASCII | re.DOTALL
)
LONG_WORD = re.compile(r"[0-9A-Za-z_/+%-]{16}")
LOGIN = re.compile(r"://[^\s/]{0,64}:[^\s/]{0,200}@")


def may_hold_secret(text: str) -> bool:
    """Return whether `SECRET` may match: a cheap pre-filter, which one post in a hundred passes."""
    if LONG_WORD.search(text) or "-----BEGIN" in text:
        return True
    return "://" in text and bool(LOGIN.search(text))
