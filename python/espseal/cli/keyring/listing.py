"""``espseal keyring list``."""

from typing import Final

from espseal import Keyring
from espseal.cli import console
from espseal.cli.keyring import tables
from espseal.cli.options import JsonOption, KeyringArgument, KeyringOption, examples, one_path

EXAMPLES: Final = examples(
    "espseal keyring list",
    "espseal keyring list --json | jq -r '.devices[].name'",
)


def list_all(
    path: KeyringArgument = None, keyring: KeyringOption = None, as_json: JsonOption = False
) -> None:
    """List the groups, fleets and devices, without a key."""
    loaded = Keyring.load(one_path(path, keyring))
    if as_json:
        console.print_json(tables.as_json(loaded))
    elif loaded.groups or loaded.fleets:
        tables.show(loaded)
    else:
        console.note(f"{loaded.path} is empty: espseal fleet new, or espseal keyring add group.")
