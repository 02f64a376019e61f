"""The admin: read-only tables for staff, with actions that call services."""

from django.contrib import admin

from . import (
    audit,
    bulk_actions,
    groups,
    invitations,
    outbox,
    second_factors,
    sessions,
    tokens,
    users,
)
from .model_words import translate_names

for _model in admin.site._registry:  # noqa: SLF001 -- Django has no other list of them
    translate_names(_model)

__all__ = [
    "audit",
    "bulk_actions",
    "groups",
    "invitations",
    "outbox",
    "second_factors",
    "sessions",
    "tokens",
    "users",
]
