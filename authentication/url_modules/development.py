"""Pages of development, which production does not have."""

from django.urls import path

from authentication.view_modules.mailbox import MailboxPage, MailHtml, MailPage

urlpatterns = [
    path("mailbox/", MailboxPage.as_view(), name="mailbox"),
    path("mailbox/html/<slug:name>/", MailHtml.as_view(), name="mail-html"),
    path("mailbox/<slug:name>/", MailPage.as_view(), name="mail"),
]
