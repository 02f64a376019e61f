"""The specification's client, without its main block."""

# ruff: noqa
# fmt: off
# mypy: ignore-errors

# auth_client.py
import requests
from typing import Optional, Dict

class AuthClient:
    def __init__(self, base_url: str = "http://localhost:8002/api/v1/auth"):
        self.base_url = base_url
        self.session = requests.Session()
        self.access_token: Optional[str] = None

    def register(self, email: str, password: str, first_name: str, last_name: str) -> Dict:
        """Register a new user."""
        response = self.session.post(
            f"{self.base_url}/register/",
            json={
                "email": email,
                "password": password,
                "first_name": first_name,
                "last_name": last_name,
            }
        )
        response.raise_for_status()
        return response.json()

    def login(self, email: str, password: str) -> Dict:
        """Login and store access token."""
        response = self.session.post(
            f"{self.base_url}/login/",
            json={"email": email, "password": password}
        )
        response.raise_for_status()
        
        data = response.json()
        self.access_token = data["access"]
        # Refresh token stored in session cookies automatically
        return data

    def refresh_token(self) -> str:
        """Refresh access token using refresh token from cookies."""
        response = self.session.post(f"{self.base_url}/token/refresh/")
        response.raise_for_status()
        
        data = response.json()
        self.access_token = data["access"]
        return self.access_token

    def logout(self) -> Dict:
        """Logout and clear tokens."""
        response = self.session.post(
            f"{self.base_url}/logout/",
            headers=self._get_headers()
        )
        response.raise_for_status()
        
        self.access_token = None
        return response.json()

    def get_sessions(self) -> list:
        """Get all active sessions."""
        response = self.session.get(
            f"{self.base_url}/sessions/",
            headers=self._get_headers()
        )
        response.raise_for_status()
        return response.json()["sessions"]

    def _get_headers(self) -> Dict[str, str]:
        """Get authorization headers."""
        if self.access_token:
            return {"Authorization": f"Bearer {self.access_token}"}
        return {}
