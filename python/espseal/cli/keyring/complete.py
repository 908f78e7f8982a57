"""Shell completion out of the keyring at hand."""

from collections.abc import Iterable

import typer

from espseal import Keyring, KeyringError


def group_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of its groups that begin as typed."""
    return _begun((each.name for each in _keyring(context).groups), incomplete)


def fleet_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of its fleets that begin as typed."""
    return _begun((each.name for each in _keyring(context).fleets), incomplete)


def device_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of its devices that begin as typed."""
    return _begun((each.name for each in _keyring(context).devices), incomplete)


def sealed_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of its sealed devices that begin as typed."""
    devices = _keyring(context).devices
    return _begun((each.name for each in devices if each.fleet is not None), incomplete)


def classic_names(context: typer.Context, incomplete: str) -> list[str]:
    """The names of the devices that could migrate and begin as typed."""
    devices = _keyring(context).devices
    return _begun((each.name for each in devices if each.fleet is None), incomplete)


def topics(context: typer.Context, incomplete: str) -> list[str]:
    """The topic filters of its groups that begin as typed."""
    return _begun((each.topic for each in _keyring(context).groups), incomplete)


def _begun(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _keyring(context: typer.Context) -> Keyring:
    try:
        return Keyring.load(context.params.get("keyring"))
    except KeyringError:
        # The Tab key is no place for a message; the command itself will say what is wrong.
        return Keyring.parse(_EMPTY)


_EMPTY = f'version = 1\nsession_key = "{"00" * 32}"\n'
