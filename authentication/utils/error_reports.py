"""Error reports to Sentry."""

import sentry_sdk


def report(error: BaseException) -> None:
    """Send an error to Sentry if it is set up."""
    # Without a client the library would still build the report, by its own defaults: it prints the
    # variables of every frame, and printing a query runs it. With a database that hangs, that is
    # five more waits.
    if sentry_sdk.get_client().is_active():
        sentry_sdk.capture_exception(error)
