"""User-Agent headers, and the device that each one means."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Agent:
    """A User-Agent header, and the name, type, browser and system of its device."""

    header: str
    name: str
    type: str
    browser: str
    system: str


_MOZILLA = "Mozilla/5.0"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"

AGENTS: dict[str, Agent] = {
    "Chrome on Windows": Agent(
        f"{_MOZILLA} (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/131.0.0.0 Safari/537.36",
        "Chrome on Windows",
        "desktop",
        "Chrome 131",
        "Windows 10",
    ),
    "Chrome on a Mac": Agent(
        f"{_MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Chrome/131.0.0.0 Safari/537.36",
        "Chrome on Mac OS X",
        "desktop",
        "Chrome 131",
        "Mac OS X 10",
    ),
    "Chrome on Android": Agent(
        f"{_MOZILLA} (Linux; Android 10; K) {_WEBKIT} Chrome/131.0.0.0 Mobile Safari/537.36",
        "Chrome Mobile on Android",
        "mobile",
        "Chrome Mobile 131",
        "Android 10",
    ),
    "Safari on an iPhone": Agent(
        f"{_MOZILLA} (iPhone; CPU iPhone OS 18_1_1 like Mac OS X) "
        "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1.1 Mobile/15E148 Safari/604.1",
        "Mobile Safari on iPhone",
        "mobile",
        "Mobile Safari 18",
        "iOS 18",
    ),
    "Safari on an iPad": Agent(
        f"{_MOZILLA} (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.6 Mobile/15E148 Safari/604.1",
        "Mobile Safari on iPad",
        "tablet",
        "Mobile Safari 17",
        "iOS 17",
    ),
    "Firefox on an Android tablet": Agent(
        f"{_MOZILLA} (Android 14; Tablet; rv:132.0) Gecko/132.0 Firefox/132.0",
        "Firefox Mobile on Android",
        "tablet",
        "Firefox Mobile 132",
        "Android 14",
    ),
    "Firefox on Linux": Agent(
        f"{_MOZILLA} (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "Firefox on Linux",
        "desktop",
        "Firefox 132",
        "Linux",
    ),
    "Edge on Windows": Agent(
        f"{_MOZILLA} (Windows NT 10.0; Win64; x64) {_WEBKIT} "
        "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
        "Edge on Windows",
        "desktop",
        "Edge 131",
        "Windows 10",
    ),
    "curl": Agent("curl/8.5.0", "curl", "other", "curl 8", ""),
    "Googlebot": Agent(
        f"{_MOZILLA} (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Googlebot on Spider",
        "bot",
        "Googlebot 2",
        "",
    ),
    "nothing": Agent("", "Unknown device", "other", "", ""),
    "noise": Agent("x" * 40, "Unknown device", "other", "", ""),
}
