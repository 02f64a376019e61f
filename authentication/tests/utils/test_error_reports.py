"""Reports of errors to Sentry, where it is not set up."""

import pytest
import sentry_sdk
from sentry_sdk.client import NonRecordingClient

from authentication.utils.error_reports import report


def test_without_sentry_no_report_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    # Building one prints the variables of every frame, and printing a query runs it.
    built: list[BaseException] = []
    monkeypatch.setattr(sentry_sdk, "get_client", NonRecordingClient)
    monkeypatch.setattr(sentry_sdk, "capture_exception", built.append)

    report(OSError("down"))

    assert built == []
