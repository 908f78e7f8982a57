"""``node``: chip ID, heap, restart, deep sleep, the Lua Flash Store, and the random generator.

``flashindex(name)`` gives a module's function; of a name that LFS does not have its time, places
and list of modules; and without an LFS nil and the places.
``random(l, u)`` takes 32-bit integers, so ``random(4294967295)`` raises, as since 2019-04. Before
the node has an IP address the numbers are the same after every reset.
"""

from typing import TYPE_CHECKING

from espseal.simulator.lua import Arguments, LuaError, Value

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine


_LFS_TIME, _LFS_MAPPED, _LFS_OFFSET, _LFS_SIZE = 1_700_000_000, 0x402D0000, 0xD0000, 0x20000


def define(machine: "Machine") -> None:
    """Defines ``node``."""
    from espseal.simulator.machine import End

    def random(*values: Value) -> int | float:
        arguments = Arguments("random", values)
        if len(arguments) == 0:
            return machine.generator.below(2**32) / 2**32
        if len(arguments) > 2:
            raise LuaError("wrong number of arguments")
        low = arguments.integer(1) if len(arguments) == 2 else 1
        high = arguments.integer(len(arguments))
        if low > high:
            raise arguments.bad(2, "interval is empty")
        return low + machine.generator.below(high - low + 1)

    # Both only ask for it: what follows in the script still runs.
    def restart(*_: Value) -> None:
        machine.soon(lambda: setattr(machine, "end", End.RESTART))

    def dsleep(*values: Value) -> None:
        microseconds = Arguments("dsleep", values).integer(1, 0)

        def sleep() -> None:
            machine.sleep_seconds = microseconds / 1e6 if microseconds else None
            machine.end = End.SLEEP

        machine.soon(sleep)

    def flashindex(*values: Value) -> Value:
        name = values[0] if values and isinstance(values[0], bytes) else b""
        lfs = machine.board.lfs
        if lfs is None:
            return None, _LFS_MAPPED, _LFS_OFFSET, _LFS_SIZE
        if name in lfs:
            return machine.lua.chunk(name, lfs[name])
        return _LFS_TIME, _LFS_MAPPED, _LFS_OFFSET, _LFS_SIZE, machine.lua.array(sorted(lfs))

    machine.lua.define(
        "node",
        {
            "chipid": lambda *_: machine.board.chip_id,
            "heap": lambda *_: machine.free_heap(),
            "flashindex": flashindex,
            "random": random,
            "restart": restart,
            "dsleep": dsleep,
        },
    )
