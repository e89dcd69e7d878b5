"""Tell Django about the portal; it has templates, static files and words, but no models."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The portal as a Django app."""

    name = "portal"
    verbose_name = "Tribute's pages"
