"""Who made what, and what they allow: works, consent, checks and their proofs."""
