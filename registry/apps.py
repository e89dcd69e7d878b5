"""Tell Django about the registry."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """The lowest of the apps: it imports none of the others."""

    name = "registry"
    verbose_name = "Registry"
