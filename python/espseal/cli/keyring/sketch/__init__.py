"""Finds the keys in the programs of the article's users, and of its Arduino port's."""

from espseal.cli.keyring.sketch.find import FIELDS, Found, Sketch, read

__all__ = ["FIELDS", "Found", "Sketch", "read"]
