-- Starts main.lua or receiver.lua after three seconds: time to end a boot loop on the serial port.

boot = tmr.create()
boot:alarm(3000, tmr.ALARM_SINGLE, function()
  boot = nil
  -- .lc: compiled before the upload, where memory is short.
  for _, name in ipairs{"main.lc", "main.lua", "receiver.lc", "receiver.lua"} do
    if file.exists(name) then return dofile(name) end
  end
end)
print("starting in 3 s; boot:stop() prevents it")
