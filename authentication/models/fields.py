"""Columns that several tables need."""

from typing import TYPE_CHECKING, Any

from django.db import models

from authentication.utils.identifiers import canonical_email, canonical_username

_CANONICAL = {
    "email": canonical_email,
    "old_email": canonical_email,
    "new_email": canonical_email,
    "username": canonical_username,
}


# Generic in the type checker's eyes alone.
if TYPE_CHECKING:
    _TextColumn = models.CharField[str, str]
else:
    _TextColumn = models.CharField


class CanonicalField(_TextColumn):
    """The canonical form of another column, computed whenever the row is written through a model."""

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        super().__init__(*args, **{"editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001 -- Django's signature
        value = _CANONICAL[self.of](getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value
