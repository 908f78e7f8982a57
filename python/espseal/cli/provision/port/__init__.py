"""``espseal provision --port``: the reference sketch is told over its serial port.

`canonical` is the text that both ends agree on, `line` the port, `board` the conversation, and
`talk` what a person sees of it.
"""
