"""Ask before you ingest: consent checks for training pipelines, online and offline.

Own the words, keys, verdict and proofs that a registry and its clients share. Nothing is
re-exported here, so that ``import tribute.verdict`` costs no more than the verdict needs.
"""
