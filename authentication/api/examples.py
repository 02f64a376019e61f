"""Example values that several operations of the OpenAPI document share."""

# ruff: noqa: S105 -- examples, not secrets
ACCESS_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.<claims>.<signature>"
REFRESH_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.<other claims>.<signature>"
USER_ID = "0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10"
PASSWORD = "Barley-Harvest-7"
TOKENS = {
    "access_token": ACCESS_TOKEN,
    "access": ACCESS_TOKEN,
    "expires_in": 900,
    "token_type": "Bearer",
    "refresh": REFRESH_TOKEN,
}
NEW_SESSION = {**TOKENS, "device_id": "<43 characters>"}
USER = {
    "id": USER_ID,
    "email": "ruth@example.org",
    "username": "ruth",
    "first_name": "Ruth",
    "last_name": "Moab",
    "email_verified": True,
}
