"""The base class of serializers that read a request."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers


class InputSerializer(serializers.Serializer[Any]):
    """The fields of a request.

    Typed clients send every field of a type. So `null` for an optional field counts as an absent
    field, and so does an empty text for a field of `alternatives`.
    """

    alternatives: ClassVar[frozenset[str]] = frozenset()
    """Fields that another field can stand for."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            named = [name for name in data if name in self.fields]
            absent = [name for name in named if self._is_absent(name, data)]
            if absent:
                data = data.copy()  # type: ignore[attr-defined]  # a dict or a QueryDict
                for name in absent:
                    data.pop(name)
        return super().to_internal_value(data)

    def _is_absent(self, name: str, data: Mapping[str, Any]) -> bool:
        value = data[name]
        return (value is None and not self.fields[name].required) or (
            value == "" and name in self.alternatives
        )
