"""The client for asyncio and trio; `_sync` is written from it by clients/generate.py."""
