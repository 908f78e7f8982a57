"""Where the receiver keeps what it learns, for the commands that need it."""

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

import espseal

StateOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FILE",
        envvar="ESPSEAL_STATE",
        show_envvar=False,
        help="What was learnt so far; without it the file in ~/.local/state/espseal.",
    ),
]

MemoryOption: TypeAlias = Annotated[
    bool, typer.Option("--memory", help="Keep nothing, and know nothing of the last time.")
]


def default_path() -> Path:
    """Where `Store.sqlite` keeps it unless told otherwise, to see whether there is one."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "espseal" / "state.sqlite3"


def open_store(state: Path | None, memory: bool) -> espseal.Store:
    """The store that the options name; it is made if it is not there.

    Raises:
        StoreError: the file cannot be used.
    """
    if memory:
        if state is not None:
            raise typer.BadParameter("Give either --state or --memory.")
        return espseal.Store.memory()
    return espseal.Store.sqlite(state)
