"""The second factor: setting it up, removing it, signing in with it."""

import dataclasses

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.examples import NEW_SESSION, USER
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.authentication import MessageSerializer, SignedInUserSerializer
from authentication.serializers.second_factor import (
    RecoveryCodesSerializer,
    SecondFactorConfirmSerializer,
    SecondFactorOfferSerializer,
    SecondFactorRemovalTokenSerializer,
    SecondFactorSetupSerializer,
    SecondFactorStatusSerializer,
    SecondFactorVerifySerializer,
)
from authentication.serializers.tokens import SignedInSerializer
from authentication.services import SecondFactorRemovalService, SecondFactorService
from authentication.utils.client import ClientInfo
from authentication.utils.qr import qr_svg

from .base import (
    PublicView,
    SignedInView,
    needs_recent_proof,
    renew_csrf_token,
    session_of,
    user_of,
)
from .token_answers import new_session_answer

ENABLED = _(
    "Two-step sign-in is on. Keep the recovery codes in a safe place: they are not shown again."
)
DISABLED = _("Two-step sign-in is off. Every other device was signed out.")
RENEWED = _("These are your new recovery codes; the older ones are void. They are not shown again.")
STOPPED = _("Two-step sign-in stays on. Please choose a new password if you did not ask for this.")
_SECRET = {"Cache-Control": "no-store"}
_CODES = ["k7m2qx-9fd0aa-t3ny8w-h5c4rp", "... ten in all"]


class SecondFactorView(SignedInView):
    """Show whether your account has a second factor."""

    tag = "second factor"

    @authentication_schema(
        "second_factor",
        SecondFactorStatusSerializer,
        response={
            "enabled": True,
            "enabled_at": "2026-11-22T15:30:00Z",
            "recovery_codes_left": 10,
            "session_verified": True,
        },
    )
    @limited("second_factor", key=by_session)
    def get(self, request: Request) -> Response:
        status = SecondFactorService.status_of(user_of(request))
        shown = {**dataclasses.asdict(status), "session_verified": session_of(request).is_verified}
        return Response(SecondFactorStatusSerializer(shown).data)


class TotpSetupView(SignedInView):
    """Start to set up an authenticator app.

    It needs your current password. The secret takes effect when a code of the app confirms it,
    within an hour. Until then an older second factor stays in use. The email address must be
    verified.
    """

    tag = "second factor"
    serializer_class = SecondFactorSetupSerializer

    @authentication_schema(
        "totp_setup",
        SecondFactorOfferSerializer,
        request={"password": "Correct-Horse-9"},
        response={
            "secret": "<32 characters>",
            "otpauth_url": "otpauth://totp/Vineyard%20Group%20Fellowship:ruth%40example.org"
            "?secret=<the secret>",
            "qr_svg": "<svg>...</svg>",
        },
        errors=(failures.EmailNotVerified, failures.AccountLocked),
    )
    @limited("second_factor", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Response:
        offer = SecondFactorService.set_up(
            session_of(request), **self.validated(request), client=ClientInfo.of(request)
        )
        shown = {**dataclasses.asdict(offer), "qr_svg": qr_svg(offer.otpauth_url)}
        return Response(shown, headers=_SECRET)


class TotpConfirmView(SignedInView):
    """Confirm an authenticator app with its first code.

    The answer has ten recovery codes, which are never shown again. Other devices stay signed in,
    unless the app replaces another one: then they are signed out.
    """

    tag = "second factor"
    serializer_class = SecondFactorConfirmSerializer

    @authentication_schema(
        "totp_confirm",
        RecoveryCodesSerializer,
        request={"otp": "492039"},
        response={"message": ENABLED, "recovery_codes": _CODES},
        errors=(failures.EmailNotVerified,),
    )
    @limited("second_factor", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Response:
        codes = SecondFactorService.confirm(
            session_of(request), **self.validated(request), client=ClientInfo.of(request)
        )
        return Response({"message": ENABLED, "recovery_codes": codes}, headers=_SECRET)


class SecondFactorDisableView(SignedInView):
    """Remove the second factor.

    Every other device is signed out, and you get a mail about it. The recent proof must be both the
    password and a code of the second factor.
    """

    tag = "second factor"

    @authentication_schema(
        "second_factor_disable",
        MessageSerializer,
        response={"message": DISABLED},
        errors=(failures.NotFound,),
    )
    @limited("second_factor", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Response:
        SecondFactorService.disable(session_of(request), client=ClientInfo.of(request))
        return Response({"message": DISABLED})


class RecoveryCodesView(SignedInView):
    """Create new recovery codes.

    The older ones stop working, and you get a mail about it. The recent proof must be both the
    password and a code of the second factor.
    """

    tag = "second factor"

    @authentication_schema(
        "recovery_codes",
        RecoveryCodesSerializer,
        response={"message": RENEWED, "recovery_codes": _CODES},
        errors=(failures.NotFound,),
    )
    @limited("second_factor", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Response:
        codes = SecondFactorService.renew_recovery_codes(
            session_of(request), client=ClientInfo.of(request)
        )
        return Response({"message": RENEWED, "recovery_codes": codes}, headers=_SECRET)


class SecondFactorRemovalStopView(PublicView):
    """Stop the removal of your second factor by staff, with the token from the mail."""

    tag = "second factor"
    serializer_class = SecondFactorRemovalTokenSerializer

    @authentication_schema(
        "second_factor_removal_stop",
        MessageSerializer,
        request={"token": "<from the mail>"},
        response={"message": STOPPED},
        errors=(failures.LinkInvalid,),
    )
    @limited("email_undo", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        SecondFactorRemovalService.stop(
            **self.validated(request), client=ClientInfo.of(request), limit=attempt_of(request)
        )
        return Response({"message": STOPPED})


class SecondFactorVerifyView(PublicView):
    """Finish a sign-in that stopped with `mfa_required`.

    The `mfa_token` works for five minutes and five tries, and only here. An account accepts at most
    ten wrong codes of an app an hour over all sign-ins; recovery codes work all the same. The
    answer is that of a sign-in.
    """

    tag = "second factor"
    serializer_class = SecondFactorVerifySerializer

    @authentication_schema(
        "second_factor_verify",
        SignedInSerializer,
        request={"mfa_token": "<from the refusal>", "otp": "492039"},
        invalid={
            "mfa_token": ["This field is required."],
            "otp": ["Send either otp or recovery_code."],
        },
        response={**NEW_SESSION, "user": USER},
        errors=(failures.TokenInvalid, failures.CodeInvalid),
    )
    @limited("second_factor_verify", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        signed_in = SecondFactorService.finish_sign_in(
            **self.validated(request), client=ClientInfo.of(request), limit=attempt_of(request)
        )
        renew_csrf_token(request)
        return new_session_answer(
            request, signed_in, user=SignedInUserSerializer(signed_in.user).data
        )
