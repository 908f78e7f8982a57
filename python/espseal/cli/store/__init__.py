"""``espseal store``: what receivers have learnt."""

import typer

from espseal.cli.options import examples
from espseal.cli.store import restored

app = typer.Typer(
    no_args_is_help=True,
    help="""Look after the store: the file of what receivers have learnt.

    It says which frames were accepted, so that none is accepted twice.
    """,
    epilog=examples("espseal store restored"),
)
app.command("restored", epilog=restored.EXAMPLES)(restored.restored)


@app.callback()
def _group() -> None:
    """Keeps 'restored' a command of its own while it is the only one."""
