"""Creation of superusers on the server."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from authentication.models import User
from authentication.services.accounts import address_taken
from authentication.services.audit import record_action
from authentication.services.operators import Operator
from authentication.services.sign_in import NewFactor, store_new_factor
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_identifier


class SuperuserService:
    """Creation of superusers, with or without a second factor."""

    @staticmethod
    def check(*, email: str, password: str) -> None:
        """Raise what `create` would raise for this address and password."""
        User.objects.check_superuser(email, password)
        if User.objects.identified_by(canonical_identifier(email)).exists():
            raise address_taken()

    @staticmethod
    def create(
        *,
        email: str,
        password: str,
        operator: Operator,
        client: ClientInfo,
        factor: NewFactor | None = None,
    ) -> list[str]:
        """Make a superuser with a verified address; return the recovery codes of its factor.

        Raises Django's ValidationError for a weak password, ValidationFailed for a taken address.
        """
        now = timezone.now()
        try:
            with transaction.atomic():
                user = User.objects.create_superuser(email, password)
                record_action(
                    "create_superuser", user_id=user.pk, client=client, **operator.facts()
                )
                if factor is None:
                    return []
                return store_new_factor(user, factor, client=client, at=now, **operator.facts())
        except IntegrityError:
            raise address_taken() from None
