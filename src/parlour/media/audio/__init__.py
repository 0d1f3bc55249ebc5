"""The sound of a room: jitter buffers, Opus, the mix and the mix-minus.

Everything here counts in samples at 48 kHz, mono, in frames of 20 ms, and is told the time by its caller.
"""
