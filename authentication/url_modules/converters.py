"""Converters of the values in paths."""

from django.urls import register_converter
from django.urls.converters import UUIDConverter


class IdConverter(UUIDConverter):
    """A UUID in lower or upper case (RFC 9562, section 4); Swift's `uuidString` is upper case."""

    regex = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"


register_converter(IdConverter, "id")
