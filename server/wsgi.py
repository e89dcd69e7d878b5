"""The WSGI application that a web server runs."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from server import freed_memory, garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")

application = get_wsgi_application()
# All views now rather than at the first request. What is loaded then lives as long as the process: the
# collector need not walk through it each time a large check makes many objects.
import_module("server.urls")
garbage.look_seldom()
freed_memory.keep()
