"""The command `espseal` (the extra ``cli``; ``espseal demo`` wants the extra ``demo``).

`app` is its table of contents: one small module a command.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command `espseal` and ends the process with one of the codes of `exits`."""
    try:
        from espseal.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(f"espseal: the command needs the package {error.name}: pip install 'espseal[cli]'")
    app(prog_name="espseal")
