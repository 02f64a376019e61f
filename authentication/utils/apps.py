"""Apps, browsers and programs, by the products in a User-Agent header."""

import re
from urllib.parse import unquote

from user_agents.parsers import UserAgent

# HTTP libraries and tools, by their names in the header in lower case. The words hold nothing that
# a mail program could take for a link, as it does with ".NET".
_PROGRAMS = {
    "python-requests": "Python program (requests)",
    "python-httpx": "Python program (httpx)",
    "aiohttp": "Python program (aiohttp)",
    "python-urllib": "Python program (urllib)",
    "python-urllib3": "Python program (urllib3)",
    "curl": "curl",
    "wget": "Wget",
    "httpie": "HTTPie",
    "postmanruntime": "Postman",
    "insomnia": "Insomnia",
    "go-http-client": "Go program",
    "java": "Java program",
    "java-http-client": "Java program",
    "apache-httpclient": "Java program (Apache HttpClient)",
    "restsharp": "C# program (RestSharp)",
    "node": "Node program",
    "undici": "Node program (undici)",
    "node-fetch": "Node program (node-fetch)",
    "axios": "JavaScript program (axios)",
    "got": "Node program (got)",
    "deno": "Deno program",
    "bun": "Bun program",
    "guzzlehttp": "PHP program (Guzzle)",
    "ruby": "Ruby program",
    "faraday": "Ruby program (Faraday)",
    "libwww-perl": "Perl program",
    "powershell": "PowerShell",
    "windowspowershell": "PowerShell",
    "okhttp": "Unknown app (okhttp)",
    "dart": "Unknown app (Flutter)",
    # The last: it comes before the name of the library.
    "python": "Python program",
}
# Products that say how an app or a browser was built, and not which it is.
_PARTS = {
    *("mozilla", "opera", "presto", "applewebkit", "khtml", "gecko", "version", "mobile", "safari"),
    *("chrome", "chromium", "headlesschrome", "electron", "dalvik", "cfnetwork", "darwin"),
    *("alamofire", "build", "like", "u;"),
}
_BROWSERS = {
    "Chrome Mobile iOS": "Chrome",
    "Firefox iOS": "Firefox",
    "Chrome Mobile": "Chrome",
    "IE": "Internet Explorer",
    "MiuiBrowser": "Mi Browser",
    "Mobile Safari": "Safari",
}
BROWSER_NAMES = frozenset(_BROWSERS.values())
_NAMED_APPS = {
    *("Facebook", "Facebook Messenger", "Google", "Instagram", "LinkedIn", "Pinterest"),
    *("Snapchat", "TikTok", "Twitter", "WhatsApp"),
}
# Engines inside apps: the app's own name is a product beside them, or is not known.
_ENGINES = {
    *("Other", "Android", "Electron", "Mobile Safari UI/WKWebView", "Chrome Mobile WebView"),
}
_COMMENT = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_LONGEST, _MOST_DIGITS, _LONGEST_VERSION = 24, 4, 9


def app_of(agent: UserAgent) -> tuple[str, str]:
    """Return the words for the app, browser or program behind a header, and its version.

    Both are empty if neither says anything about it.
    """
    products = _products(agent.ua_string)
    family, version = agent.browser.family, agent.browser.version_string.partition(".")[0]
    if program := _program(products):
        # Of a library the version, if there is one, may be that of HTTP.
        return program, "" if " " in program else version
    is_browser = agent.ua_string.startswith("Mozilla/") and family not in _ENGINES
    if not (is_browser or is_bot(agent)) and (named := _named(products)):
        return named
    # The library takes some names from the header as they are.
    words = _BROWSERS.get(family, recognisable(family.removesuffix(" Mobile").replace(".", " ")))
    if family in _ENGINES or not words:
        return "", ""
    return f"{words} app" if family in _NAMED_APPS else words, version


def is_bot(agent: UserAgent) -> bool:
    """Return whether a header is that of a crawler; the library takes some programs for one."""
    return bool(agent.is_bot) and not _program(_products(agent.ua_string))


def recognisable(name: str) -> str:
    """Return a name that a client chose if it can stand among words of the service, else "".

    It is a short name of letters and few digits, so that it holds no link, sentence or telephone
    number.
    """
    words = " ".join(name.split())
    letters = sum(letter.isalpha() for letter in words)
    digits = sum(letter.isdigit() for letter in words)
    # Counted, so that every other character, too, is one of these few.
    others = sum(words.count(mark) for mark in " -_&'()+")
    is_short = len(words) <= _LONGEST and digits <= _MOST_DIGITS
    return words if is_short and letters > 1 and letters + digits + others == len(words) else ""


def _products(header: str) -> list[tuple[str, str]]:
    """Return names and versions, such as ("Vineyard", "1.4"). The first name may have spaces."""
    text = _COMMENT.sub(" ", header).strip()
    first, slash, rest = text.partition("/")
    if not slash:
        return [(text.partition(" ")[0], "")]
    tokens = [token.partition("/") for token in rest.split()]
    later = [(name, version) for name, slash, version in tokens[1:] if slash]
    return [(first, tokens[0][0] if tokens else ""), *later]


def _program(products: list[tuple[str, str]]) -> str:
    names = [name.lower() for name, _ in products]
    # An app says its own name before that of the library it uses.
    if not (names[0] in _PROGRAMS or names[0] == "mozilla"):
        return ""
    found = [name for name in names if name in _PROGRAMS]
    return _PROGRAMS[min(found, key="python".__eq__)] if found else ""


def _named(products: list[tuple[str, str]]) -> tuple[str, str] | None:
    name, version = next(
        ((name, it) for name, it in products if it and name.lower() not in _PARTS), ("", "")
    )
    # Apple's library writes the name of an app as in a URL.
    own = unquote(name[: 9 * _LONGEST])
    if own not in _NAMED_APPS and own.endswith(("App", " app", "-app", "_app", ".app")):
        own = own[:-3].rstrip(" -_.")
    # Of an identifier such as org.vineyard.app the last part is the name.
    words = recognisable(own.rpartition(".")[2].replace("_", " "))
    if not words:
        return None
    numbers = ".".join(version.split(".")[:2])
    is_number = numbers.isascii() and numbers.replace(".", "").isdigit()
    is_version = is_number and len(numbers) <= _LONGEST_VERSION
    return f"{words} app", numbers if is_version else ""
