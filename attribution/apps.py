"""Attribution as a Django app."""

from django.apps import AppConfig


class AttributionConfig(AppConfig):
    """Which works a generated answer drew on, and how its fee is shared."""

    name = "attribution"
    verbose_name = "Attribution"
