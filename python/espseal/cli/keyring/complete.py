"""Shell completion out of the keyring at hand."""

import typer

from espseal import Keyring, KeyringError


def group_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of its groups that begin as typed."""
    keyring = _keyring(context)
    return [each.name for each in keyring.groups if each.name.startswith(incomplete)]


def device_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of its devices that begin as typed."""
    keyring = _keyring(context)
    return [each.name for each in keyring.devices if each.name.startswith(incomplete)]


def topics(context: typer.Context, incomplete: str) -> list[str]:
    """The topic filters of its groups that begin as typed."""
    keyring = _keyring(context)
    return [each.topic for each in keyring.groups if each.topic.startswith(incomplete)]


def _keyring(context: typer.Context) -> Keyring:
    try:
        return Keyring.load(context.params.get("keyring"))
    except KeyringError:
        # The Tab key is no place for a message; the command itself will say what is wrong.
        return Keyring.parse(_EMPTY)


_EMPTY = f'version = 1\nsession_key = "{"00" * 32}"\n'
