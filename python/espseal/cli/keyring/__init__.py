"""``espseal keyring``: make, extend and check the file of devices and keys."""

import typer

from espseal.cli.keyring import add_device, add_group, check, importing, listing, new
from espseal.cli.options import examples

app = typer.Typer(
    no_args_is_help=True,
    help="""Make, extend and check the keyring: the file of your devices and their keys.

    A group is a set of nodes that share four keys; a device is one node of it.
    Devices with keys of their own are in a fleet: see espseal fleet, espseal device.
    No command ever prints a key.
    """,
    epilog=examples(
        "espseal keyring new",
        "espseal keyring add group greenhouse --topic 'sensors/+' \\",
        "    --session-topic sensors/session",
        "espseal keyring add device kitchen --group greenhouse --node-id 11242238",
        "espseal keyring check",
    ),
)
app.command("new", epilog=new.EXAMPLES)(new.new)

_add = typer.Typer(
    no_args_is_help=True,
    help="Add a group of nodes, or a device to a group.",
    epilog=examples(
        "espseal keyring add group greenhouse --topic 'sensors/+' \\",
        "    --session-topic sensors/session",
        "espseal keyring add device kitchen --group greenhouse --node-id 11242238",
    ),
)
_add.command("group", epilog=add_group.EXAMPLES)(add_group.add_group)
_add.command("device", epilog=add_device.EXAMPLES)(add_device.add_device)
app.add_typer(_add, name="add")

app.command("import", epilog=importing.EXAMPLES)(importing.import_sketch)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("list", epilog=listing.EXAMPLES)(listing.list_all)
