"""``espseal device``: the devices of the keyring, one by one."""

import typer

from espseal.cli.device import add, listing, mode, rekey, remove, rename, revoke, rotate, show
from espseal.cli.options import examples

app = typer.Typer(
    no_args_is_help=True,
    help="""Add, list and change devices.

    'add' is for devices that send sealed frames; a classic one that is there keeps
    its name and its group, and migrates. No command here ever prints a key.
    """,
    epilog=examples(
        "espseal device add kitchen --fleet home",
        "espseal device list",
        "espseal device revoke kitchen",
    ),
)
app.command("add", epilog=add.EXAMPLES)(add.add)
app.command("list", epilog=listing.EXAMPLES)(listing.list_all)
app.command("show", epilog=show.EXAMPLES)(show.show)
app.command("rename", epilog=rename.EXAMPLES)(rename.rename)
app.command("revoke", epilog=revoke.EXAMPLES)(revoke.revoke)
app.command("rotate", epilog=rotate.EXAMPLES)(rotate.rotate)
app.command("mode", epilog=mode.EXAMPLES)(mode.mode)
app.command("rekey", epilog=rekey.EXAMPLES)(rekey.rekey)
app.command("remove", epilog=remove.EXAMPLES)(remove.remove)
