"""The second factor."""

from django.urls import path

from authentication import views

urlpatterns = [
    path("2fa/", views.SecondFactorView.as_view(), name="second-factor"),
    path("2fa/totp/setup/", views.TotpSetupView.as_view(), name="totp-setup"),
    path("2fa/totp/confirm/", views.TotpConfirmView.as_view(), name="totp-confirm"),
    path("2fa/disable/", views.SecondFactorDisableView.as_view(), name="second-factor-disable"),
    path("2fa/recovery-codes/", views.RecoveryCodesView.as_view(), name="recovery-codes"),
    path(
        "2fa/removal/stop/",
        views.SecondFactorRemovalStopView.as_view(),
        name="second-factor-removal-stop",
    ),
    path("2fa/verify/", views.SecondFactorVerifyView.as_view(), name="second-factor-verify"),
]
