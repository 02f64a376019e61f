"""Files of people to invite: CSV as spreadsheets write it, read row by row."""

import csv
import dataclasses
import io

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.utils.identifiers import canonical_email

from .invitations import Invited, checked_invited

MOST_ROWS = 500
MOST_BYTES = 40 * 1024
_COLUMNS = {
    "email": ("email", "e-mail", "mail", "address", "email address", "e-mail-adresse", "adresse"),
    "first_name": ("first_name", "first name", "firstname", "vorname"),
    "last_name": ("last_name", "last name", "lastname", "surname", "nachname"),
}
_TOO_LARGE = _("The file is too large. It may have {size} KiB.")
_TOO_MANY = _("The file has too many rows. It may have {count}.")
_ENCODING = _("The file is not UTF-8. Please save it as “CSV UTF-8”.")
_EMPTY = _("The file has no rows.")
_NO_ADDRESS = _("The first line must name the columns, and one of them must be “email”.")
_TWICE = _("The first line names a column twice.")


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its line, what stands there, and who it invites or what is wrong with it."""

    line: int
    text: str
    person: Invited | None = None
    error: str = ""


def read_people(data: bytes) -> list[Row]:
    """Return the rows of a CSV file with a first line that names its columns.

    The separator is a comma, a semicolon or a tab. Columns with other names are not read. Raises
    ValueError, with words for staff, for a file that cannot be read.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(_TOO_LARGE.format(size=MOST_BYTES // 1024))
    text = _decoded(data)
    separator, text, skipped = _separator_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = next(reader, [])
        columns = _columns_of(header)
        rows, seen = list[Row](), dict[str, int]()
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == MOST_ROWS:
                raise ValueError(_TOO_MANY.format(count=MOST_ROWS))
            line = reader.line_num + skipped
            rows.append(_row(cells, header, columns, seen, line=line))
    except csv.Error:
        where = reader.line_num + skipped
        text = gettext("Line {line} is no CSV: a quotation mark may be missing.")
        raise ValueError(text.format(line=where)) from None
    if not rows:
        raise ValueError(str(_EMPTY))
    return rows


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(str(_ENCODING)) from None
    if "\x00" in text:
        # UTF-16 of plain letters is valid UTF-8 with zeros in it.
        raise ValueError(str(_ENCODING))
    return text


def _separator_of(text: str) -> tuple[str, str, int]:
    """Return the separator, the text without Excel's line `sep=;`, and how many lines that was."""
    first, _, rest = text.partition("\n")
    named = first.strip()
    if named.lower().startswith("sep=") and named[4:] in {",", ";"}:
        return named[4:], rest, 1
    return max(",;\t", key=first.count), text, 0


def _columns_of(header: list[str]) -> dict[str, int]:
    """Return the positions of the columns that are read."""
    names = [" ".join(cell.lower().split()) for cell in header]
    found: dict[str, int] = {}
    for field, spellings in _COLUMNS.items():
        positions = [number for number, name in enumerate(names) if name in spellings]
        if len(positions) > 1:
            raise ValueError(str(_TWICE))
        if positions:
            found[field] = positions[0]
    if "email" not in found:
        raise ValueError(str(_NO_ADDRESS))
    return found


def _row(
    cells: list[str],
    header: list[str],
    columns: dict[str, int],
    seen: dict[str, int],
    *,
    line: int,
) -> Row:
    if len(cells) != len(header):
        text = gettext("The row has {cells} cells, the first line {columns}.")
        error = text.format(cells=len(cells), columns=len(header))
        return Row(line, cells[0][:100], error=error)
    given = {field: cells[position] for field, position in columns.items()}
    shown = given["email"].strip()[:100]
    try:
        person = checked_invited(**given)
    except ValueError as error:
        return Row(line, shown, error=str(error))
    address = canonical_email(person.email)
    if address in seen:
        text = gettext("The same address as in line {line}.").format(line=seen[address])
        return Row(line, shown, error=text)
    seen[address] = line
    return Row(line, shown, person)
