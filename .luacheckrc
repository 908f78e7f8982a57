-- luacheck firmware tests/lua
std = "lua51+lua53"
max_line_length = 100

-- NodeMCU's modules, as far as they are used.
read_globals = {"adc", "crypto", "file", "mqtt", "node", "rtcmem", "tmr", "wifi"}

-- The serial port is where a maker looks at the counts and stops a boot loop.
files["firmware/nodemcu/main.lua"] = {globals = {"stats"}}
files["firmware/nodemcu/init.lua"] = {globals = {"boot"}}
