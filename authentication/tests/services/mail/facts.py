"""Made-up facts for every kind of mail."""

from typing import Any

from authentication.models import UserSession

LINK = "https://app.example.org/do-it?token=abc_DEF-123&next=1"
HOME = "https://app.example.org"
EVIL = "Click http://evil.example <b>now</b>"
FACTS: dict[str, dict[str, Any]] = {
    "verification": {"link": LINK},
    "account_exists": {},
    "account_locked": {},
    "token_reuse": {
        "session": UserSession(),
        "device_words": "Firefox on Linux",
        "device_label": "Ruth's phone & tablet",
    },
    "choose_password": {"link": LINK},
    "password_reset": {"link": LINK},
    "password_changed": {"when": "2025-03-03T14:05:11.123456+00:00"},
    "second_factor_changed": {"change": "enabled", "when": "2025-03-03T14:05:11.123456+00:00"},
    "second_factor_blocked": {},
    "recovery_code_used": {"when": "2025-03-03T14:05:11.123456+00:00"},
    "second_factor_removal": {"link": LINK},
    "breached_password": {},
    "account_deleted": {"due": "2026-12-06T12:00:00+00:00"},
    "export_ready": {"link": LINK},
    "export_failed": {},
    "session_disowned": {"link": LINK},
    "username_changed": {"link": LINK, "when": "2025-03-03T14:05:11.123456+00:00"},
    "notices_stopped": {"link": LINK, "when": "2025-03-03T14:05:11.123456+00:00"},
    "former_address": {"link": LINK, "news": "Your password was changed"},
    "audit_seal": {"seal": f"12:{'0a' * 32}", "when": "2025-03-03T14:05:11.123456+00:00"},
    "invitation": {"link": LINK, "days": 7},
    "role_changed": {
        "is_own": False,
        "old_role": "Helper",
        "new_role": "Administrator",
        "when": "2025-03-03T14:05:11.123456+00:00",
    },
    "email_change": {"link": LINK},
    "email_change_notice": {"link": LINK},
    "new_country": {
        "link": LINK,
        "when": "2025-03-03T14:05:11.123456+00:00",
        "ip_address": "198.51.100.7",
        "place": "New York, United States",
        "new_country": "United States",
        "before": "Germany",
        "session": UserSession(ip_address="198.51.100.8"),
        "device_words": "Firefox on Linux",
    },
    "new_device": {
        "link": LINK,
        "session": UserSession(ip_address="198.51.100.7"),
        "device_words": "Firefox on Linux",
        "device_label": "Ruth's phone & tablet",
    },
}
