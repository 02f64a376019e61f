"""The base class of serializers that read a request."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.fields import SkipField

Errors = dict[str, list[Any]]


class InputSerializer(serializers.Serializer[Any]):
    """The fields of a request. Everything that is wrong with them is reported at once.

    Typed clients send every field of a type. So `null` for an optional field counts as an absent
    field, and so does an empty text for a field of `alternatives`.

    DRF compares fields with each other only after each of them is valid. Here the valid fields are
    compared although others are not. `accepted` holds their values then.
    """

    alternatives: ClassVar[frozenset[str]] = frozenset()
    """Fields that another field can stand for."""
    accepted: Mapping[str, Any] = {}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        data = self._without_absent(data)
        errors: Any = {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors = error.detail
            values = self._valid_values(data, errors)
        for field, messages in self.compare_fields(values, invalid=set(errors)).items():
            errors.setdefault(field, messages)
        if errors:
            self.accepted = values
            raise serializers.ValidationError(errors)
        return values

    def compare_fields(self, values: dict[str, Any], *, invalid: Collection[str]) -> Errors:
        """Return what is wrong with the valid fields together, as messages by field.

        `invalid` names the fields that were sent and are not valid, or are missing.
        """
        return {}

    def _without_absent(self, data: Mapping[str, Any]) -> Any:
        named = [name for name in data if name in self.fields]
        absent = [name for name in named if self._is_absent(name, data)]
        if not absent:
            return data
        rest = data.copy()  # type: ignore[attr-defined]  # a dict or a QueryDict
        for name in absent:
            rest.pop(name)
        return rest

    def _is_absent(self, name: str, data: Mapping[str, Any]) -> bool:
        value = data[name]
        return (value is None and not self.fields[name].required) or (
            value == "" and name in self.alternatives
        )

    def _valid_values(self, data: Mapping[str, Any], errors: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field in self._writable_fields:
            name = str(field.field_name)
            if name not in errors:
                try:
                    values[name] = field.run_validation(field.get_value(data))
                except SkipField:
                    continue
        return values


def compare_repetition(values: Mapping[str, Any], field: str) -> Errors:
    """Return an error unless a password was repeated correctly, in the field `<field>_confirm`."""
    repeated = values.get(f"{field}_confirm")
    if repeated is None or field not in values or repeated == values[field]:
        return {}
    return {f"{field}_confirm": [_("The two passwords are not the same.")]}
