"""``adc``: channel 0 reads what the host's sensor says, 0 to 1024 for 0 to 1 V."""

from typing import TYPE_CHECKING

from espseal.simulator.lua import Arguments, Value

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine


def define(machine: "Machine") -> None:
    """Defines ``adc.read``."""

    def read(*values: Value) -> int:
        arguments = Arguments("read", values)
        if arguments.integer(1) != 0:
            raise arguments.bad(1, "channel")
        value = machine.board.sensor()
        if not isinstance(value, int) or not 0 <= value <= 1024:
            raise ValueError(f"the ADC of a node reads an int from 0 to 1024, not {value!r}")
        return value

    machine.lua.define("adc", {"read": read})
