"""Who is owed what, and what was paid."""
