"""Prometheus counters and histograms.

No label holds personal data or a value that a client can choose.
"""

from prometheus_client import Counter, Histogram

LOGIN_ATTEMPTS = Counter("auth_login_attempts", "Sign-ins by password, by outcome.", ["status"])
LOGIN_SECONDS = Histogram(
    "auth_login_duration_seconds",
    "Duration of sign-ins.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 5, 10),
)
RESET_REQUESTS = Counter("auth_password_reset_requests", "Requests for a password reset link.")
TOKENS_REFRESHED = Counter("auth_tokens_refreshed", "Refresh tokens that were rotated.")
REUSE_DETECTED = Counter(
    "auth_token_reuse_detected", "Sessions ended because a refresh token was reused."
)
LOCKOUTS = Counter("auth_account_lockouts", "Locks after too many wrong passwords.")
EVENTS = Counter("auth_events", "Security events, by their name in the audit log.", ["event"])
LIMITED = Counter("auth_rate_limited", "Requests refused by a rate limit, by its name.", ["limit"])
LOG_LINES_DROPPED = Counter("auth_log_lines_dropped", "Lines of the log that nobody took.")
REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Duration of requests, by route, method and class of the status.",
    ["endpoint", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
_BY_EVENT = {
    "login": LOGIN_ATTEMPTS.labels("success"),
    "login_failed": LOGIN_ATTEMPTS.labels("failed"),
    "password_reset_requested": RESET_REQUESTS,
    "token_refresh": TOKENS_REFRESHED,
    "token_reuse_detected": REUSE_DETECTED,
    "account_locked": LOCKOUTS,
}


def count_event(event: str) -> None:
    """Count a security event."""
    EVENTS.labels(str(event)).inc()
    if counter := _BY_EVENT.get(event):
        counter.inc()


def observe_request(endpoint: str | None, method: str | None, status: int, seconds: float) -> None:
    """Observe the duration of a request; all paths without a route are one endpoint."""
    known = method if method in _METHODS else "other"
    REQUEST_SECONDS.labels(endpoint or "none", known, f"{status // 100}xx").observe(seconds)
    if endpoint == "login" and method == "POST":
        LOGIN_SECONDS.observe(seconds)
