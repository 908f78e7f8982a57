"""NodeMCU on the host: runs the reference firmware's Lua unmodified, against a real broker.

```python
from espseal.simulator import Node

with Node(chip_id=11242238, config={...}, lua="5.3", sensor=lambda: 512) as node:
    node.wait_for(lambda line: line.startswith("published"), timeout=10)
```
The semantics are NodeMCU's, limits and oddities included; each shim's docstring names them.
"""

from importlib import import_module

try:
    for _build in ("lupa.lua51", "lupa.lua53"):
        import_module(_build)
except ImportError as error:
    raise ImportError("espseal.simulator needs lupa: pip install 'espseal[demo]'") from error

from espseal.simulator.config import LuaSource
from espseal.simulator.lua import LuaVersion
from espseal.simulator.node import Node, firmware_files

__all__ = ["LuaSource", "LuaVersion", "Node", "firmware_files"]
