"""The ledger as a Django app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Who is owed what, and what was paid."""

    name = "ledger"
    verbose_name = "Ledger"
