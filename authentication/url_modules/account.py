"""The user's own account: activity, consents, address, personal data."""

from django.urls import path

from authentication import views

from . import converters  # noqa: F401 -- registers <id:...>

urlpatterns = [
    path("account/activity/", views.ActivityView.as_view(), name="activity"),
    path(
        "account/activity/<id:event_id>/disown/",
        views.ActivityDisownView.as_view(),
        name="activity-disown",
    ),
    path("account/consents/", views.ConsentsView.as_view(), name="consents"),
    path("account/email/", views.AccountEmailView.as_view(), name="account-email"),
    path(
        "account/email/confirm/",
        views.EmailChangeConfirmView.as_view(),
        name="account-email-confirm",
    ),
    path("account/email/undo/", views.EmailChangeUndoView.as_view(), name="account-email-undo"),
    path("account/change/undo/", views.ChangeUndoView.as_view(), name="account-change-undo"),
    path("account/delete/", views.AccountDeleteView.as_view(), name="account-delete"),
    path("account/export/", views.ExportView.as_view(), name="export"),
    path("account/export/download/", views.ExportDownloadView.as_view(), name="export-download"),
    path("account/notices/", views.NoticesView.as_view(), name="notices"),
    path("mail-events/sendgrid/", views.SendGridEventsView.as_view(), name="sendgrid-events"),
    path("account/disown-session/", views.SessionDisownView.as_view(), name="session-disown"),
]
