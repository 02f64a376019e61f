"""Keeps the catalogues of locale/ in step with the texts of the code: `make messages`."""
