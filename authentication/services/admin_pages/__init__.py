"""What the pages of the admin show: how the service does, what waits, who a person is."""

from .bulk_actions import BULK_ACTIONS, MOST_PEOPLE, TYPED_ABOVE, BulkActionService, may_do_for_many
from .choice_words import CHOICES, words_of_choice, words_of_value
from .counting import count_events
from .device_action import END_DEVICE, end_device
from .event_words import text_of, words_for
from .facts import lines_of
from .people import find_people, last_seen_of, locked_people
from .person import (
    Line,
    consents_of,
    described,
    devices_of,
    events_of,
    mails_to,
    notes_about,
    removal_of,
)
from .staff_action import StaffAction
from .staff_actions import STAFF_ACTIONS
from .statistics import DAYS, Statistics, read_statistics
from .waiting import MOST, STRANGERS_SHOWN, Waiting, read_waiting
from .words import State, address_of, day, moment, name_of, states_of

__all__ = [
    "BULK_ACTIONS",
    "CHOICES",
    "DAYS",
    "END_DEVICE",
    "MOST",
    "MOST_PEOPLE",
    "STAFF_ACTIONS",
    "STRANGERS_SHOWN",
    "TYPED_ABOVE",
    "BulkActionService",
    "Line",
    "StaffAction",
    "State",
    "Statistics",
    "Waiting",
    "address_of",
    "consents_of",
    "count_events",
    "day",
    "described",
    "devices_of",
    "end_device",
    "events_of",
    "find_people",
    "last_seen_of",
    "lines_of",
    "locked_people",
    "mails_to",
    "may_do_for_many",
    "moment",
    "name_of",
    "notes_about",
    "read_statistics",
    "read_waiting",
    "removal_of",
    "states_of",
    "text_of",
    "words_for",
    "words_of_choice",
    "words_of_value",
]
