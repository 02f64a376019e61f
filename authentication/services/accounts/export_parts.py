"""The parts of an export: written and read one after the other, never whole in memory."""

import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from authentication.models import AccountExport, ExportPart
from authentication.utils.encryption import decrypt, encrypt

_PART_BYTES = 64 * 1024  # compressed
_PIECE_BYTES = 256 * 1024  # expanded
_encode = DjangoJSONEncoder(indent=2).encode


def as_json(topics: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Yield an object as JSON, in pieces. An iterator among the values becomes an array."""
    for number, (name, value) in enumerate(topics):
        yield f"{',' if number else '{'}\n{json.dumps(name)}: "
        if not isinstance(value, Iterator):
            yield _encode(value)
            continue
        yield "["
        for row_number, row in enumerate(value):
            yield ("," if row_number else "") + _encode(row)
        yield "]"
    yield "\n}"


def store_parts(export: AccountExport, texts: Iterable[str]) -> int:
    """Store texts as the parts of an export, in place of those of an earlier try; return how many.

    Raises IntegrityError if the export is gone.
    """
    ExportPart.objects.filter(export=export).delete()
    number = 0
    for number, part in enumerate(_compressed(texts), start=1):
        content = encrypt(part, context=_context(export, number))
        ExportPart.objects.create(export=export, number=number, content=content)
    return number


class ExportReader:
    """A file whose content is read from the parts of an export; closing it deletes them.

    Opening it raises DecryptionError if the first part cannot be read.
    """

    def __init__(self, export: AccountExport) -> None:
        self._export, self._next = export, 1
        self._unpack, self._rest = zlib.decompressobj(), b""
        self._rest = self._read_piece()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, all that are left for a negative size; none at the end.

        Raises DecryptionError, ExportPart.DoesNotExist.
        """
        while (size < 0 or len(self._rest) < size) and (piece := self._read_piece()):
            self._rest += piece
        end = len(self._rest) if size < 0 else size
        block, self._rest = self._rest[:end], self._rest[end:]
        return block

    def close(self) -> None:
        """Delete the parts: an export is downloaded once."""
        ExportPart.objects.filter(export=self._export).delete()

    def _read_piece(self) -> bytes:
        """Return the next bytes, few at a time: a part may expand to a thousand times its size."""
        data = self._unpack.unconsumed_tail
        while not self._unpack.eof:
            if piece := self._unpack.decompress(data, _PIECE_BYTES):
                return piece
            if self._next > self._export.parts:
                break
            data = self._read_part()
        return b""

    def _read_part(self) -> bytes:
        part = ExportPart.objects.get(export=self._export, number=self._next)
        data = decrypt(part.content, context=_context(self._export, self._next))
        self._next += 1
        return data


def _compressed(texts: Iterable[str]) -> Iterator[bytes]:
    pack, waiting = zlib.compressobj(), bytearray()
    for text in texts:
        waiting += pack.compress(text.encode())
        if len(waiting) >= _PART_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting) + pack.flush()


def _context(export: AccountExport, number: int) -> str:
    return f"export:{export.pk}:{number}"
