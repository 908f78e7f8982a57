"""``espseal fleet list``."""

from typing import Final

from espseal import Keyring
from espseal.cli import console
from espseal.cli.keyring import tables
from espseal.cli.options import JsonOption, KeyringOption, examples

EXAMPLES: Final = examples("espseal fleet list", "espseal fleet list --json | jq -r '.[].name'")


def list_all(keyring: KeyringOption = None, as_json: JsonOption = False) -> None:
    """List the fleets, without a key."""
    loaded = Keyring.load(keyring)
    if as_json:
        console.print_json(tables.fleets_as_json(loaded))
    elif loaded.fleets:
        tables.show_fleets(loaded)
    else:
        console.note(f"{loaded.path} has no fleet yet: espseal fleet new.")
