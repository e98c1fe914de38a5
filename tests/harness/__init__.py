"""What the end-to-end tests stand on: real Envoys, recording upstreams, tokens good and bad, raw sockets.

Nothing here knows how the gate decides. Expectations stand in the tests.
"""
