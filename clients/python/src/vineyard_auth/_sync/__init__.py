"""The client for programs without asyncio, written from `_async` by clients/generate.py."""
