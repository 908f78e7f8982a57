"""NodeMCU's modules, with its semantics. Each shim defines one global of the script."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from espseal.simulator.shims import adc, crypto, file, mqtt, node, rtcmem, tmr, wifi

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine

SHIMS: "tuple[Callable[[Machine], None], ...]" = (
    adc.define,
    crypto.define,
    file.define,
    mqtt.define,
    node.define,
    rtcmem.define,
    tmr.define,
    wifi.define,
)
