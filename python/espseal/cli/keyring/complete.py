"""Shell completion out of the keyring."""

import typer

from espseal import Keyring, KeyringError


def group_names(context: typer.Context, incomplete: str) -> list[str]:
    """The groups of the keyring at hand whose names begin as typed."""
    try:
        groups = Keyring.load(context.params.get("keyring")).groups
    except KeyringError:
        # The Tab key is no place for a message; the command itself will say what is wrong.
        return []
    return [group.name for group in groups if group.name.startswith(incomplete)]
