"""Which works a generated answer drew on, and how its fee is shared among them.

Owns generative models, queries, contributions and the index of registered texts. Who made a work
and what they allow is the registry's; what an account holds is the ledger's.
"""
