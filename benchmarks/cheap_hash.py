"""A password hasher that costs nothing: the benchmark measures a sign-in without its hash."""

import secrets

from django.contrib.auth.hashers import BasePasswordHasher


class CheapHasher(BasePasswordHasher):
    """Stores the password as it is; for throwaway accounts only."""

    algorithm = "cheap"

    def salt(self) -> str:
        """Return no salt."""
        return "-"

    def encode(self, password: str, salt: str) -> str:
        """Return the password, in the form of an encoded one."""
        return f"{self.algorithm}${salt}${password}"

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether both are the same."""
        return secrets.compare_digest(self.encode(password, self.salt()), encoded)

    def must_update(self, encoded: str) -> bool:
        """Return False."""
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing: there is one cost."""
