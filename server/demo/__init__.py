"""A small, believable world to look at: real works, a real model, and the story that joins them.

Owns what `make demo` shows. Nothing outside this package imports it, and the service runs without.
"""
