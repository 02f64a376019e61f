"""Test data, by factory-boy."""

from typing import TYPE_CHECKING, Any

import factory
from django.utils import timezone

from authentication.models import User, UserProfile

PASSWORD = "Correct-Horse-9"

if TYPE_CHECKING:
    # factory-boy's classes make other objects than themselves, which no type says.
    def UserFactory(**fields: Any) -> User: ...  # noqa: N802 -- it stands for the class below
else:

    class UserFactory(factory.django.DjangoModelFactory):
        """A person with a proven address, a profile, and PASSWORD."""

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
        def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:  # noqa: ARG003 -- its signature
            user = User.objects.create_user(password=kwargs.pop("password", PASSWORD), **kwargs)
            UserProfile.objects.create(user=user)
            return user
