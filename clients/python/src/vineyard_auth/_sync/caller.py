# Written by clients/generate.py from _async/.
"""What the operations need of the client."""

import abc
from typing import Any


class Caller(abc.ABC):
    """Sends operations."""

    @abc.abstractmethod
    def call(self, operation: str, **parts: Any) -> Any:
        """Send any operation, with the access token where it needs one."""
