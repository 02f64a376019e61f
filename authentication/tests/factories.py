"""Accounts and second factors for tests."""

import dataclasses
from typing import TYPE_CHECKING, Any

import factory
from django.utils import timezone

from authentication.models import RecoveryCode, SecondFactor, User, UserProfile
from authentication.utils.encryption import encrypt
from authentication.utils.one_time_codes import (
    STEP_SECONDS,
    canonical_recovery_code,
    new_recovery_codes,
    new_seed,
    totp_code,
)

PASSWORD = "Correct-Horse-9"

if TYPE_CHECKING:
    # A factory-boy class returns a model's instance, which its types do not say.
    def UserFactory(**fields: Any) -> User: ...  # noqa: N802 -- it stands for the class below
else:

    class UserFactory(factory.django.DjangoModelFactory):
        """A user with a verified address, a profile, and PASSWORD."""

        class Meta:
            model = User
            skip_postgeneration_save = True

        email = factory.Sequence(lambda n: f"person{n}@example.org")
        username = factory.Sequence(lambda n: f"person{n}")
        first_name = "Ruth"
        last_name = "Moab"
        email_verified = True
        email_verified_at = factory.LazyFunction(timezone.now)

        @classmethod
        def _create(cls, _model: type[User], *_args: Any, **kwargs: Any) -> User:
            user = User.objects.create_user(password=kwargs.pop("password", PASSWORD), **kwargs)
            UserProfile.objects.create(user=user)
            return user


def unverified_user(**fields: Any) -> User:
    """Return a new user with an address that is not verified."""
    return UserFactory(email_verified=False, email_verified_at=None, **fields)


@dataclasses.dataclass(frozen=True)
class Factor:
    """An authenticator app and its recovery codes."""

    seed: bytes
    recovery_codes: list[str]

    def code(self, *, steps: int = 0) -> str:
        """Return the code of now, or of so many steps of 30 seconds later."""
        return totp_code(self.seed, int(timezone.now().timestamp()) // STEP_SECONDS + steps)


def give_factor(person: User) -> Factor:
    """Set up a second factor for a user directly in the database."""
    factor, now = Factor(new_seed(), new_recovery_codes()), timezone.now()
    SecondFactor.objects.create(user=person, seed=encrypt(factor.seed, context=f"totp:{person.pk}"))
    RecoveryCode.objects.replace(
        person.pk, map(canonical_recovery_code, factor.recovery_codes), at=now
    )
    User.objects.set_second_factor(person.pk, at=now)
    person.refresh_from_db()
    return factor
