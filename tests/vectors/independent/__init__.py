"""A second implementation of the formats, which shares no code with espseal."""
