"""Retention periods."""

from datetime import timedelta

from .env import env

AUDIT_LOG_RETENTION = timedelta(days=env.integer("AUDIT_LOG_RETENTION_DAYS", 365, low=1, high=3650))
SESSION_RETENTION = timedelta(days=env.integer("SESSION_RETENTION_DAYS", 90, high=3650))
EMAIL_RETENTION = timedelta(days=env.integer("EMAIL_RETENTION_DAYS", 90, low=1, high=3650))
# 0: accounts with an unverified address are kept.
UNVERIFIED_ACCOUNT_RETENTION = timedelta(
    days=env.integer("UNVERIFIED_ACCOUNT_RETENTION_DAYS", 30, high=3650)
)
ACCOUNT_DELETION_GRACE = timedelta(
    days=env.integer("ACCOUNT_DELETION_GRACE_DAYS", 14, low=1, high=90)
)
# The interval between two runs of each rule.
RETENTION_SECONDS = 3600
