"""``espseal store restored``."""

from typing import Final

from espseal import Store
from espseal.cli import console
from espseal.cli.exits import CommandError
from espseal.cli.options import examples
from espseal.cli.state import StateOption, default_path

EXAMPLES: Final = examples(
    "cp backup/state.sqlite3 ~/.local/state/espseal/state.sqlite3",
    "espseal store restored",
)


def restored(state: StateOption = None) -> None:
    """Say that the store was put back from a copy, before anything uses it.

    A copy does not know what was accepted after it was made: such frames could be
    believed again. From now on each sealed device has to show that it is there now,
    which takes it a minute, and what it sends from then on is believed.
    """
    path = state if state is not None else default_path()
    if not path.exists():
        raise CommandError(f"{path}: there is no store here; put the copy there first.")
    Store.sqlite(path).mark_restored()
    console.say(f"Marked {path} as restored: sealed devices are met anew.")
