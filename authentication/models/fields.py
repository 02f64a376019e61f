"""Model fields shared by several models."""

from typing import TYPE_CHECKING, Any

from django.db import models

from authentication.utils.identifiers import (
    canonical_email,
    canonical_username,
    username_skeleton,
)

_CANONICAL = {
    "email": canonical_email,
    "old_email": canonical_email,
    "new_email": canonical_email,
    "username": canonical_username,
}


# CharField is generic only for the type checker.
if TYPE_CHECKING:
    _TextColumn = models.CharField[str, str]
else:
    _TextColumn = models.CharField


class CanonicalField(_TextColumn):
    """The canonical form of another column, computed in `pre_save`.

    `QuerySet.update` does not compute it.
    """

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        self.of = of
        super().__init__(*args, **{"editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(
        self,
        model_instance: models.Model,
        add: bool,  # noqa: FBT001 -- Django's signature
    ) -> str:
        value = _CANONICAL[self.of](getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value


class SkeletonField(_TextColumn):
    """The SHA-256 of the skeleton of `username`, computed in `pre_save`.

    It is not unique: names that were taken before it was computed may look alike.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fixed = {"editable": False, "max_length": 64, "default": "", "db_default": ""}
        super().__init__(*args, **{**kwargs, **fixed})

    def pre_save(
        self,
        model_instance: models.Model,
        add: bool,  # noqa: FBT001 -- Django's signature
    ) -> str:
        value = username_skeleton(getattr(model_instance, "username"))  # noqa: B009 -- not typed
        setattr(model_instance, self.attname, value)
        return value
