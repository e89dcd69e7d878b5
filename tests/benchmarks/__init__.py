"""Measurements that print their machine: ``make bench NAME=<a module here>``.

Not tests: pytest does not collect them, and a slow machine fails nothing. Importing the package
makes Django ready, as ``manage.py`` does.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")
django.setup()
