"""`espseal demo`: nodes, a broker, a receiver and an attacker on this machine (extra ``demo``).

`story.play` is the demo from beginning to end; `attacks` is what the attacker tries;
`judge` says whether it ended well.
"""
