"""The forms of accounts in the admin."""

from typing import Any

from django import forms
from django.contrib.admin.helpers import ActionForm
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from authentication.models import User
from authentication.models.second_factor_removal import REASON_MAX_LENGTH
from authentication.models.staff_note import NOTE_MAX_LENGTH
from authentication.services.admin_pages import MOST_PEOPLE, StaffAction
from authentication.services.invitations import checked_name
from authentication.services.staff_roles import role_choices
from authentication.utils.identifiers import clean_email


class ChoiceOfPeopleForm(ActionForm):
    """The form above the list: an action, and whether it is for all people of the list."""

    whole_list = forms.BooleanField(
        required=False,
        label=format_lazy(_("for the whole list (at most {count})"), count=MOST_PEOPLE),
    )


class NamesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only for the type checker
    """The names of a person, as staff correct them."""

    def clean_first_name(self) -> str:
        """Return the first name."""
        return _checked_name(self.cleaned_data["first_name"])

    def clean_last_name(self) -> str:
        """Return the last name."""
        return _checked_name(self.cleaned_data["last_name"])


def _checked_name(text: str) -> str:
    try:
        return checked_name(text)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from None


class StaffActionForm(forms.Form):
    """Why something is done, and the address or the role if one is given."""

    new_email = forms.CharField(
        label=_("New address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note"),
        max_length=NOTE_MAX_LENGTH,
        help_text=_("Please write nothing that the person may not read."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MAX_LENGTH,
        help_text=_("It stands in the audit log. Please write no personal data."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, action: StaffAction, actor: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not action.asks_address:
            del self.fields["new_email"]
        if action.asks_role:
            role: Any = self.fields["role"]
            role.choices = role_choices(actor)
        else:
            del self.fields["role"]
        if action.asks_note:
            del self.fields["reason"]
        else:
            del self.fields["note"]
        if not action.needs_reason and "reason" in self.fields:
            self.fields["reason"].required = False
            self.fields["reason"].label = _("Reason (you may leave it empty)")

    def clean_new_email(self) -> str:
        """Return a valid address."""
        try:
            return clean_email(self.cleaned_data["new_email"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
