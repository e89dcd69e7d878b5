"""Read and write the consent standards that others defined; decide nothing across tiers.

One module per standard: bytes or text in, statements and problems out. Nothing here opens a socket,
reads a clock or raises on hostile input, and no problem ever turns into a permission.
"""
