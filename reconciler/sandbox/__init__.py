"""Both vendors' APIs, simulated: for the demo, for trying things out and for tests. Knows nothing of the product.

Start it with `reconciler.sandbox.server.serve`, or, without a socket, with `reconciler.sandbox.app.Sandbox`.
"""
