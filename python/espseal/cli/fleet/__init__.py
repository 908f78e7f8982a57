"""``espseal fleet``: devices that send sealed frames and share a beacon."""

import typer

from espseal.cli.fleet import listing, new
from espseal.cli.options import examples

app = typer.Typer(
    no_args_is_help=True,
    help="""Make and list fleets: devices that send sealed frames.

    The keys of a fleet's devices are derived from one, which stays in the keyring.
    No command ever prints it.
    """,
    epilog=examples(
        "espseal fleet new home",
        "espseal fleet list",
        "espseal device add kitchen --fleet home",
    ),
)
app.command("new", epilog=new.EXAMPLES)(new.new)
app.command("list", epilog=listing.EXAMPLES)(listing.list_all)
