"""The log for people: one line per event, and no database rows."""

import logging

import pytest
import structlog
from hypothesis import given

from authentication.tests.properties import thoroughly

from .logged import ANYTHING, HOSTILE, console_lines_of, logged


class TestConsole:
    @given(ANYTHING)
    @thoroughly
    def test_an_event_is_one_line(self, text: str) -> None:
        with logged("console") as log:
            structlog.get_logger("own").warning(
                "said", text=text, several=[text], named={"it": text}
            )
            logging.getLogger("foreign").warning("%s", text)
            structlog.get_logger("own").warning(text)

        assert len(console_lines_of(log.getvalue())) == 3

    @pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
    def test_escaped_text_stays_readable(self, hostile: str) -> None:
        with logged("console") as log:
            structlog.get_logger("own").warning("said", text=hostile)

        assert hostile not in log.getvalue()
        assert hostile[0] in log.getvalue()
        assert hostile[-1] in log.getvalue()

    @given(ANYTHING)
    @thoroughly
    def test_lines_of_a_traceback_are_indented(self, text: str) -> None:
        with logged("console") as log:
            try:
                raise LookupError(f"{text}\n{text}")
            except LookupError:
                logging.getLogger("foreign").exception("failed")

        event, *rest = console_lines_of(log.getvalue())
        assert "failed" in event
        assert all(line.startswith("    | ") for line in rest)
        assert any("LookupError" in line for line in rest)


ROW = "DETAIL:  Key (email)=(naomi@example.org) already exists."


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_database_row_in_an_error_is_not_logged(form: str) -> None:
    with logged(form) as log:
        try:
            raise LookupError(f"duplicate key\n{ROW}")
        except LookupError:
            logging.getLogger("foreign").exception("failed")

    assert "duplicate key" in log.getvalue()
    assert "naomi" not in log.getvalue()
