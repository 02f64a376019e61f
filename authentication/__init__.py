"""Authentication: accounts, sessions, tokens, and the trail they leave."""
