"""vineyard_group_fellowship.settings.env: reading variables."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from vineyard_group_fellowship.settings.env import Environment


@pytest.mark.parametrize(("value", "found"), [("", "default"), ("a", "a"), (" a ", " a ")])
def test_text_is_taken_unchanged(value: str, found: str) -> None:
    assert Environment({"NAME": value}).text("NAME", "default") == found
    assert Environment({}).text("NAME", "default") == "default"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *((text, True) for text in ("true", "True", "1", "yes", "ON", " 1 ")),
        *((text, False) for text in ("false", "0", "No", "off")),
        *((text, None) for text in ("", "  ")),
    ],
)
def test_a_switch_is_on_or_off(value: str, *, found: bool | None) -> None:
    for default in (True, False):
        read = Environment({"NAME": value}).boolean("NAME", default=default)
        assert read is (default if found is None else found)


@pytest.mark.parametrize("value", ["2", "y", "t", "tru", "enabled", "-1", "None"])
def test_another_spelling_of_a_switch_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="NAME must be true or false"):
        Environment({"NAME": value}).boolean("NAME", default=True)


@pytest.mark.parametrize(("value", "found"), [("", 5), ("2", 2), (" 9 ", 9), ("+3", 3)])
def test_a_number_lies_within_its_bounds(value: str, found: int) -> None:
    assert Environment({"NAME": value}).integer("NAME", 5, low=2, high=9) == found


@pytest.mark.parametrize(
    "value", ["1", "10", "-5", "5.0", "5e0", "0x5", "five", "5 5", "5,0", "inf"]
)
def test_another_spelling_of_a_number_is_refused(value: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"NAME must be (between 2 and 9|a whole number), not "
    ):
        Environment({"NAME": value}).integer("NAME", 5, low=2, high=9)


@pytest.mark.parametrize("value", ["-0.1", "nan", "inf", "1e400", "one", "1,5"])
def test_a_fraction_lies_within_its_bounds_too(value: str) -> None:
    assert Environment({"NAME": "1.5"}).decimal("NAME", 1.0) == 1.5
    with pytest.raises(ImproperlyConfigured, match="NAME must be "):
        Environment({"NAME": value}).decimal("NAME", 1.0)


def test_a_list_is_written_with_commas() -> None:
    assert Environment({"NAME": " a, b ,,c,"}).items("NAME") == ["a", "b", "c"]
    assert Environment({}).items("NAME", "x,y") == ["x", "y"]


@pytest.mark.parametrize("value", ["A", "c", "a,b", " a"])
def test_a_choice_is_one_of_its_options(value: str) -> None:
    assert Environment({"NAME": "a"}).choice("NAME", "b", ("a", "b")) == "a"
    assert Environment({}).choice("NAME", "b", ("a", "b")) == "b"
    with pytest.raises(ImproperlyConfigured, match="NAME must be one of a, b, not "):
        Environment({"NAME": value}).choice("NAME", "b", ("a", "b"))
