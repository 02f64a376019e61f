"""What a log line must not hold."""

import logging
import re

_QUERY = re.compile(r"\?\S*")


class WithoutQuery(logging.Filter):
    """Cuts the query string from a server's request line: mailed links carry their tokens in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_QUERY.sub("", it) if isinstance(it, str) else it for it in record.args)
        return True
