"""Fixtures of a page with a config file, for the modules that say what stands in it."""

from tests.pages import client, file, page

__all__ = ["client", "file", "page"]
