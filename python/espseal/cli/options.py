"""Options that several commands share, and how their help is laid out."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

_HELP: Final = "The keyring; without it $ESPSEAL_KEYRING, or the one in ~/.config/espseal."

KeyringOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--keyring",
        "-k",
        metavar="FILE",
        help=_HELP,
    ),
]

KeyringArgument: TypeAlias = Annotated[
    Path | None,
    typer.Argument(metavar="PATH", help=_HELP),
]

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def one_path(argument: Path | None, option: Path | None) -> Path | None:
    """The keyring that was named, as PATH or as ``--keyring``; None for the default place."""
    if argument is not None and option is not None and argument != option:
        raise typer.BadParameter("Name the keyring once, as PATH or with --keyring.")
    return argument if argument is not None else option


def examples(*lines: str) -> str:
    """The end of a command's help: command lines to copy."""
    # The empty line keeps typer from taking the indentation away.
    return "\n".join(["", "[bold]Examples[/bold]", *(f"  {line}" for line in lines)])
