-- Starts main.lua after three seconds: time to end a boot loop on the serial port.

boot = tmr.create()
boot:alarm(3000, tmr.ALARM_SINGLE, function()
  boot = nil
  -- main.lc: compiled before the upload, where memory is short.
  dofile(file.exists("main.lc") and "main.lc" or "main.lua")
end)
print("starting in 3 s; boot:stop() prevents it")
