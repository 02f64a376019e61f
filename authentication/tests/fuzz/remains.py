"""What must be left of a thief once the owner has done what her mails say: nothing."""

from django.utils import timezone

from authentication.models import (
    ActionToken,
    EmailChange,
    KnownDevice,
    RecoveryCode,
    SecondFactor,
    SecondFactorRemoval,
    UserSession,
)
from authentication.services.sign_in import seed_context
from authentication.tests.conftest import API
from authentication.tests.forging import claims_of
from authentication.utils.crypto import digest
from authentication.utils.devices import device_digest, device_secrets
from authentication.utils.encryption import decrypt
from authentication.utils.one_time_codes import canonical_recovery_code

from .people import Link
from .stage import PAGES
from .thieves import Thieves

_SESSIONS = 8


class Remains(Thieves):
    """What is asserted after each remedy, and after all of them."""

    def assert_nothing_of_the_thief_is_left(self) -> None:
        user = self.user()
        self.assert_all_is_back()
        assert user.check_password(self.owner.password)
        assert not SecondFactorRemoval.objects.pending().filter(user=user).exists()
        factor = SecondFactor.objects.filter(user=user).first()
        assert factor is None or not factor.pending_seed
        self.assert_the_devices_are_hers()
        self.assert_the_sessions_are_over()
        assert not UserSession.objects.filter(user=user).live(at=timezone.now()).exists()
        self.assert_the_secrets_are_void()
        self.assert_the_links_are_void()
        after = self.user()
        assert after.check_password(self.owner.password)
        assert after.notices_stopped_at is None

    def assert_all_is_back(self) -> None:
        user = self.user()
        assert user.email == self.owner.address
        assert user.username == self.owner.username
        assert user.deletion_requested_at is None
        assert user.notices_stopped_at is None
        self.assert_no_move_is_pending()
        self.assert_the_factor_is_hers()

    def assert_no_move_is_pending(self) -> None:
        mine = EmailChange.objects.filter(user=self.pk)
        assert not mine.pending(at=timezone.now()).exists()

    def is_about_the_first_sign_in(self, link: Link) -> bool:
        """Return whether a mail is about the sign-in that everything of the thief's came after."""
        row = ActionToken.objects.filter(token=digest(link.token)).first()
        if row is None or self.thief.has_stolen or not (self.owner.is_in and self.thief.sessions):
            return False
        first = claims_of(self.thief.sessions[0]["access"])["sid"]
        return bool(link.page == "not-me" and row.subject["session"] == first)

    def assert_the_remedy_worked(self, link: Link, *, was_first: bool) -> None:
        """Check what a single link does by itself, before a password is chosen."""
        if link.page == "undo-email":
            assert self.user().email == self.owner.address
            self.assert_no_move_is_pending()
        elif was_first:
            self.assert_all_is_back()
        if link.page == "undo-email" or was_first:
            self.assert_the_sessions_are_over()
            self.assert_the_links_are_void()

    def assert_the_factor_is_hers(self) -> None:
        """What a thief removed is not restored: the secret is not kept."""
        factor = SecondFactor.objects.filter(user=self.pk).first()
        if self.user().second_factor_at is None:
            self.owner.factor = None
        else:
            assert factor
            assert self.owner.factor
            seed = decrypt(factor.seed, context=seed_context(self.pk))
            assert seed == self.owner.factor.seed
        theirs = [digest(canonical_recovery_code(it)) for it in self.thief.codes]
        assert not RecoveryCode.objects.unused(self.pk).filter(digest__in=theirs).exists()

    def assert_the_devices_are_hers(self) -> None:
        known = set(KnownDevice.objects.filter(user=self.pk).values_list("digest", flat=True))
        secrets = device_secrets(self.owner.device_id)
        assert known <= {device_digest(it, self.pk) for it in secrets[:1]}

    def assert_the_sessions_are_over(self) -> None:
        for tokens in self.thief.sessions[-_SESSIONS:]:
            if self.is_of_the_account(tokens):
                self.assert_refused(f"{API}/token/verify/", token=tokens["access"])
                self.assert_refused(f"{API}/token/refresh/", refresh=tokens["refresh"])

    def assert_the_secrets_are_void(self) -> None:
        code = self.fresh_code(self.owner.factor) if self.owner.factor else "123456"
        for token in self.thief.challenges:
            self.assert_refused(f"{API}/2fa/verify/", mfa_token=token, otp=code)
        for token in self.thief.exchanges:
            self.assert_refused(f"{API}/exchange-token/", exchange_token=token)
        for password in self.thief.passwords[-2:]:
            answer = self.sign_in(password, self.thief.device_id)
            assert answer.json()["code"] in {"invalid_credentials", "account_locked"}

    def assert_the_links_are_void(self) -> None:
        self.mailboxes.fetch()
        for link in self.thiefs_links():
            if link.page == "unsubscribe":
                self.unsubscribe(link.token)
            elif link.page == "download-export":
                assert "Content-Disposition" not in self.download_by_mail(link).headers
            # The row of a void link is gone.
            elif link.page in PAGES and link.account() == self.pk:
                new = self.next_password()
                self.assert_refused(PAGES[link.page], token=link.token, new_password=new)

    def assert_refused(self, url: str, **body: str) -> None:
        answer = self.send("post", url, body)
        if answer.status_code == 200 and "access" in answer.json():
            assert not self.is_of_the_account(answer.json()), (url, body)
            return
        assert answer.status_code in {400, 401}, (url, body, answer.content)
