"""The service as a Django app: management commands and the grants on the libraries' tables."""

from django.apps import AppConfig


class ServerConfig(AppConfig):
    """Everything wired together; nobody imports it."""

    name = "server"
