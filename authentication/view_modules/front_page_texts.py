"""The sentences of the admin's front page."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

KINDS = {
    "desktop": _("Computers"),
    "mobile": _("Phones"),
    "tablet": _("Tablets"),
    "other": _("Other devices"),
}
OR_MORE = _("{count} or more")
DEAD = ngettext_lazy(
    "{count} mail could not be delivered.", "{count} mails could not be delivered.", "number"
)
STRANGERS = ngettext_lazy(
    "{count} account reported a stranger this week.",
    "{count} accounts reported a stranger this week.",
    "number",
)
TRAVELS = ngettext_lazy(
    "{count} account used at places too far apart for the time between this week.",
    "{count} accounts used at places too far apart for the time between this week.",
    "number",
)
SPREAD = ngettext_lazy(
    "{count} account tried from many addresses this week.",
    "{count} accounts tried from many addresses this week.",
    "number",
)
SPRAYED = ngettext_lazy(
    "{count} address failed to sign in to many accounts this week.",
    "{count} addresses failed to sign in to many accounts this week.",
    "number",
)
REMOVING = ngettext_lazy(
    "{count} removal of two-step sign-in: a second person has to confirm it.",
    "{count} removals of two-step sign-in: a second person has to confirm it.",
    "number",
)
FAILED = ngettext_lazy(
    "{count} task failed and can be run again.",
    "{count} tasks failed and can be run again.",
    "number",
)
LOCKED = ngettext_lazy(
    "{count} account locked after wrong passwords.",
    "{count} accounts locked after wrong passwords.",
    "number",
)
NOT_RUNNING = {
    "mailer": _("No process sends mails: people who register or reset a password wait."),
    "worker": _("No worker runs. Exports and erasures wait."),
    "beat": _("Nothing is scheduled. Lost mails, exports and erasures wait."),
}
