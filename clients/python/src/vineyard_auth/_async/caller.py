"""What the operations need of the client."""

import abc
from typing import Any


class AsyncCaller(abc.ABC):
    """Sends operations."""

    @abc.abstractmethod
    async def call(self, operation: str, **parts: Any) -> Any:
        """Send any operation, with the access token where it needs one."""
