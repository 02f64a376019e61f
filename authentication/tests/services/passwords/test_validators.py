"""The password policy and its validators."""

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

Validator = CompositionValidator | ContextWordsValidator | PasswordHistoryValidator


def codes(password: str, user: User | None = None) -> set[str]:
    """Return the codes of the rules a password breaks."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {str(found.code) for found in error.error_list}
    return set()


def refuses(validator: Validator, password: str, user: User | None = None) -> bool:
    """Return whether a validator refuses a password."""
    try:
        validator.validate(password, user)
    except ValidationError:
        return True
    return False


class TestPolicy:
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
    def test_these_passwords_are_accepted(self, password: str) -> None:
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
    def test_these_passwords_are_refused(self, password: str, broken: set[str]) -> None:
        assert codes(password) == broken

    def test_common_passwords_are_refused(self) -> None:
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
    def test_a_password_similar_to_the_users_names_is_refused(self, password: str) -> None:
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
    def test_every_missing_kind_of_character_is_named(
        self, password: str, missing: list[str]
    ) -> None:
        with pytest.raises(ValidationError) as caught:
            CompositionValidator().validate(password)

        assert caught.value.messages == [f"The password must contain {', '.join(missing)}."]

    @pytest.mark.parametrize(
        "special", [*"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ", "\u20ac", "\u00a0", "\U0001f40e"]
    )
    def test_every_other_character_is_special(self, special: str) -> None:
        assert not refuses(CompositionValidator(), f"aA1{special}")

    @pytest.mark.parametrize(
        "password", ["\u0416\u0436\u0661!", "\u01c8\u01c91!", "\u00c4\u00e4\uff11!"], ids=ascii
    )
    def test_letters_and_digits_of_every_script_count(self, password: str) -> None:
        assert not refuses(CompositionValidator(), password)

    def test_the_validator_has_a_help_text(self) -> None:
        assert CompositionValidator().get_help_text() == (
            "Your password must contain an uppercase letter, a lowercase letter, a digit, "
            "a special character."
        )


class TestContextWords:
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
    def test_context_words_are_found_in_any_spelling(self, password: str) -> None:
        with pytest.raises(ValidationError, match="this community's name"):
            ContextWordsValidator(("vineyard", "fellowship")).validate(password)

    @pytest.mark.parametrize("password", ["vine-yard", "fellow ship", ""])
    def test_other_words_are_accepted(self, password: str) -> None:
        assert not refuses(ContextWordsValidator(("vineyard", "fellowship")), password)

    def test_the_validator_has_a_help_text(self) -> None:
        assert "community's name" in ContextWordsValidator(()).get_help_text()


@pytest.mark.django_db
class TestHistory:
    @pytest.fixture
    def validator(self) -> PasswordHistoryValidator:
        return PasswordHistoryValidator()

    def test_the_current_password_is_refused(
        self, validator: PasswordHistoryValidator, person: User
    ) -> None:
        with pytest.raises(ValidationError, match="not one of your last 5") as caught:
            validator.validate(PASSWORD, person)

        assert caught.value.code == "password_reused"

    def test_the_newest_five_passwords_are_refused(
        self, validator: PasswordHistoryValidator, person: User
    ) -> None:
        for n in range(7):
            PasswordHistory.objects.create(user=person, password_hash=make_password(f"Former-{n}"))

        refused = [n for n in range(7) if refuses(validator, f"Former-{n}", person)]

        assert refused == [2, 3, 4, 5, 6]

    def test_passwords_of_other_users_are_accepted(
        self, validator: PasswordHistoryValidator, person: User
    ) -> None:
        PasswordHistory.objects.create(
            user=UserFactory(password="Else-1234"), password_hash=make_password("Else-1234")
        )

        assert not refuses(validator, "Else-1234", person)

    @pytest.mark.parametrize(("stored", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
    def test_composed_and_decomposed_letters_are_the_same(
        self, validator: PasswordHistoryValidator, stored: str, typed: str
    ) -> None:
        word = "Ann\u00e9e-7"
        user = UserFactory(password=unicodedata.normalize(stored, word))  # type: ignore[arg-type]

        with pytest.raises(ValidationError):
            validator.validate(unicodedata.normalize(typed, word), user)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "user", [None, User(email="ruth@example.org")], ids=["no user", "not stored yet"]
    )
    def test_a_user_without_a_history_may_choose_any_password(
        self, validator: PasswordHistoryValidator, user: User | None
    ) -> None:
        assert not refuses(validator, PASSWORD, user)

    def test_an_account_without_a_password_may_choose_any_password(
        self, validator: PasswordHistoryValidator
    ) -> None:
        assert not refuses(validator, PASSWORD, UserFactory(password=None))

    @pytest.mark.parametrize(("limit", "refused"), [(0, False), (1, True)])
    def test_a_setting_limits_the_history(
        self,
        validator: PasswordHistoryValidator,
        person: User,
        settings: Settings,
        *,
        limit: int,
        refused: bool,
    ) -> None:
        settings.PASSWORD_HISTORY_LIMIT = limit

        assert refuses(validator, PASSWORD, person) is refused

    def test_the_validator_has_a_help_text(self, validator: PasswordHistoryValidator) -> None:
        assert validator.get_help_text() == "Your password must not be one of your last 5."


class TestMinimumLength:
    @pytest.fixture(autouse=True)
    def _without_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
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
    def test_the_minimum_is_8_and_in_production_12(
        self, monkeypatch: pytest.MonkeyPatch, environment: str, length: int
    ) -> None:
        monkeypatch.setattr(base, "ENVIRONMENT", environment)

        auth = self.auth()

        assert length == auth.PASSWORD_MIN_LENGTH
        assert auth.AUTH_PASSWORD_VALIDATORS[0]["OPTIONS"] == {"min_length": length}

    @pytest.mark.parametrize("environment", ["development", "production"])
    def test_a_minimum_below_8_is_refused(
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

    def test_an_emoji_counts_as_one_character(self) -> None:
        assert "password_too_short" in codes("Aa1\U0001f40e\U0001f40e\U0001f40e\U0001f40e")
        assert "password_too_short" not in codes(
            "Aa1\U0001f40e\U0001f40e\U0001f40e\U0001f40e\U0001f40e"
        )
