"""Django's settings for the process that measures django-hordak in its scratch database."""

import os
from urllib.parse import urlsplit

_database = urlsplit(os.environ["HORDAK_DATABASE_URL"])

SECRET_KEY = "only this benchmark reads it"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "mptt",
    "djmoney",
    "hordak",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": _database.username,
        "PASSWORD": _database.password,
        "HOST": _database.hostname,
        "PORT": _database.port,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_CURRENCY = HORDAK_INTERNAL_CURRENCY = "EUR"
CURRENCIES = HORDAK_CURRENCIES = ["EUR"]
HORDAK_DECIMAL_PLACES = 6
HORDAK_MAX_DIGITS = 24
