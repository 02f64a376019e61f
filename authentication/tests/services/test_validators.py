"""Which passwords are good enough."""

import importlib.util
import unicodedata
from types import ModuleType

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from pytest_django import Settings

from authentication.models import PasswordHistory, User
from authentication.services.passwords.validators import (
    CompositionValidator,
    ContextWordsValidator,
    PasswordHistoryValidator,
)
from authentication.tests.factories import PASSWORD, UserFactory
from vineyard_group_fellowship.settings import base


def codes(password: str, user: User | None = None) -> set[str]:
    """Return the codes of the rules a password breaks."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {str(found.code) for found in error.error_list}
    return set()


class TestTheWholePolicy:
    @pytest.mark.parametrize(
        "password",
        [
            PASSWORD,
            "Aa1!aaaa",
            "correct Horse battery 9",
            "Aa1\U0001f40e\U0001f40e\U0001f40e\U0001f40e\U0001f40e",
            "\u0414\u0430-\u041f\u0430\u0440\u043e\u043b\u044c-5",
            "Stra\u00dfe-\u00c4\u00d6\u00dc-7",
            "\u01c5abc-defg-\u0665",
            "Correct-Horse-7-" * 8,
        ],
        ids=ascii,
    )
    def test_these_are_good_enough(self, password: str) -> None:
        assert codes(password) == set()

    @pytest.mark.parametrize(
        ("password", "broken"),
        [
            ("", {"password_too_short", "password_composition"}),
            ("Aa1!aaa", {"password_too_short"}),
            ("        ", {"password_composition"}),
            ("12345678", {"password_too_common", "password_composition"}),
            ("P@ssw0rd", {"password_too_common"}),
            ("Vineyard-12", {"password_context"}),
            ("\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57\u6f22\u5b57", {"password_composition"}),
        ],
        ids=lambda it: ascii(it) if isinstance(it, str) else "-".join(sorted(it)),
    )
    def test_these_are_not(self, password: str, broken: set[str]) -> None:
        assert codes(password) == broken

    def test_none_of_the_common_ones_passes(self) -> None:
        common = sorted(CommonPasswordValidator().passwords)

        passed = [word for word in common[::7] if not codes(word) or not codes(word.capitalize())]

        assert len(common) > 3000
        assert passed == []

    @pytest.mark.parametrize(
        "password",
        [
            "Naomi.Moabite1",
            "naomi.moabite@Example.org1",
            "Gleaner77!x",
            "xNaomiRuth1!",
            "Bethlehem!1",
        ],
    )
    def test_what_is_known_of_a_person_is_no_password_of_theirs(self, password: str) -> None:
        naomi = User(
            email="naomi.moabite@example.org",
            username="gleaner77",
            first_name="NaomiRuth",
            last_name="Bethlehem",
        )

        assert codes(password, naomi) == {"password_too_similar"}


class TestComposition:
    @pytest.mark.parametrize(
        ("password", "missing"),
        [
            ("aa1!", ["an uppercase letter"]),
            ("AA1!", ["a lowercase letter"]),
            ("aaA!", ["a digit"]),
            ("aaA1", ["a special character"]),
            ("", ["an uppercase letter", "a lowercase letter", "a digit", "a special character"]),
            ("aaA\u00b2!", ["a digit"]),
            ("aaA\u2167!", ["a digit"]),
            ("\u6f22\u5b571!", ["an uppercase letter", "a lowercase letter"]),
        ],
        ids=ascii,
    )
    def test_each_kind_that_is_missing_is_named(self, password: str, missing: list[str]) -> None:
        with pytest.raises(ValidationError) as caught:
            CompositionValidator().validate(password)

        assert caught.value.messages == [f"The password must contain {', '.join(missing)}."]

    @pytest.mark.parametrize(
        "special", [*"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ", "\u20ac", "\u00a0", "\U0001f40e"]
    )
    def test_whatever_is_neither_letter_nor_digit_is_special(self, special: str) -> None:
        CompositionValidator().validate(f"aA1{special}")

    @pytest.mark.parametrize(
        "password", ["\u0416\u0436\u0661!", "\u01c8\u01c91!", "\u00c4\u00e4\uff11!"], ids=ascii
    )
    def test_every_script_has_its_own(self, password: str) -> None:
        CompositionValidator().validate(password)

    def test_the_rule_is_put_in_words(self) -> None:
        assert CompositionValidator().get_help_text() == (
            "Your password must contain an uppercase letter, a lowercase letter, a digit, a special character."
        )


class TestTheCommunitysWords:
    @pytest.mark.parametrize(
        "password",
        [
            "vineyard",
            "My-VINEYARD-1",
            "xFellowShipx",
            "\uff36\uff49\uff4e\uff45\uff59\uff41\uff52\uff44",
            "vineyards",
        ],
        ids=ascii,
    )
    def test_they_are_found_in_any_letters(self, password: str) -> None:
        with pytest.raises(ValidationError, match="this community's name"):
            ContextWordsValidator(("vineyard", "fellowship")).validate(password)

    @pytest.mark.parametrize("password", ["vine-yard", "fellow ship", ""])
    def test_others_pass(self, password: str) -> None:
        ContextWordsValidator(("vineyard", "fellowship")).validate(password)

    def test_the_rule_is_put_in_words(self) -> None:
        assert "community's name" in ContextWordsValidator(()).get_help_text()


@pytest.mark.django_db
class TestHistory:
    @pytest.fixture
    def validator(self) -> PasswordHistoryValidator:
        return PasswordHistoryValidator()

    def test_the_password_somebody_has_is_refused(
        self, validator: PasswordHistoryValidator, person: User
    ) -> None:
        with pytest.raises(ValidationError, match="not one of your last 5") as caught:
            validator.validate(PASSWORD, person)

        assert caught.value.code == "password_reused"

    def test_the_newest_five_are_refused_and_older_ones_are_not(
        self, validator: PasswordHistoryValidator, person: User
    ) -> None:
        for n in range(7):
            PasswordHistory.objects.create(user=person, password_hash=make_password(f"Former-{n}"))

        refused = []
        for n in range(7):
            try:
                validator.validate(f"Former-{n}", person)
            except ValidationError:
                refused.append(n)

        assert refused == [2, 3, 4, 5, 6]

    def test_passwords_of_other_people_are_free(
        self, validator: PasswordHistoryValidator, person: User
    ) -> None:
        PasswordHistory.objects.create(
            user=UserFactory(password="Else-1234"), password_hash=make_password("Else-1234")
        )

        validator.validate("Else-1234", person)

    @pytest.mark.parametrize(("stored", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
    def test_an_accented_letter_is_one_however_a_keyboard_makes_it(
        self, validator: PasswordHistoryValidator, stored: str, typed: str
    ) -> None:
        word = "Ann\u00e9e-7"
        user = UserFactory(password=unicodedata.normalize(stored, word))  # type: ignore[arg-type]  # one of the forms

        with pytest.raises(ValidationError):
            validator.validate(unicodedata.normalize(typed, word), user)  # type: ignore[arg-type]  # as above

    @pytest.mark.parametrize(
        "user", [None, User(email="ruth@example.org")], ids=["nobody", "not stored yet"]
    )
    def test_whoever_has_no_past_may_choose_freely(
        self, validator: PasswordHistoryValidator, user: User | None
    ) -> None:
        validator.validate(PASSWORD, user)

    def test_an_account_without_a_password_may_choose_freely(
        self, validator: PasswordHistoryValidator
    ) -> None:
        validator.validate(PASSWORD, UserFactory(password=None))

    @pytest.mark.parametrize(("limit", "refused"), [(0, False), (1, True)])
    def test_the_settings_say_how_far_back_it_looks(
        self,
        validator: PasswordHistoryValidator,
        person: User,
        settings: Settings,
        *,
        limit: int,
        refused: bool,
    ) -> None:
        settings.PASSWORD_HISTORY_LIMIT = limit

        try:
            validator.validate(PASSWORD, person)
        except ValidationError:
            assert refused
        else:
            assert not refused

    def test_the_rule_is_put_in_words(self, validator: PasswordHistoryValidator) -> None:
        assert validator.get_help_text() == "Your password must not be one of your last 5."


class TestMinimumLength:
    @pytest.fixture(autouse=True)
    def _no_setting_of_whoever_runs_this(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PASSWORD_MIN_LENGTH", raising=False)

    def auth(self) -> ModuleType:
        spec = importlib.util.find_spec("vineyard_group_fellowship.settings.auth")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @pytest.mark.parametrize(
        ("environment", "length"), [("development", 8), ("test", 8), ("production", 12)]
    )
    def test_it_is_8_and_in_production_12(
        self, monkeypatch: pytest.MonkeyPatch, environment: str, length: int
    ) -> None:
        monkeypatch.setattr(base, "ENVIRONMENT", environment)

        auth = self.auth()

        assert length == auth.PASSWORD_MIN_LENGTH
        assert auth.AUTH_PASSWORD_VALIDATORS[0]["OPTIONS"] == {"min_length": length}

    @pytest.mark.parametrize("environment", ["development", "production"])
    def test_less_than_8_stops_the_start(
        self, monkeypatch: pytest.MonkeyPatch, environment: str
    ) -> None:
        monkeypatch.setattr(base, "ENVIRONMENT", environment)
        monkeypatch.setenv("PASSWORD_MIN_LENGTH", "8")
        assert self.auth().PASSWORD_MIN_LENGTH == 8

        monkeypatch.setenv("PASSWORD_MIN_LENGTH", "7")
        with pytest.raises(
            ImproperlyConfigured, match="PASSWORD_MIN_LENGTH must be between 8 and 64"
        ):
            self.auth()

    def test_an_emoji_counts_as_one(self) -> None:
        assert "password_too_short" in codes("Aa1\U0001f40e\U0001f40e\U0001f40e\U0001f40e")
        assert "password_too_short" not in codes(
            "Aa1\U0001f40e\U0001f40e\U0001f40e\U0001f40e\U0001f40e"
        )
