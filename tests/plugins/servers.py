"""Give a plain ``pytest`` its own PostgreSQL and broker, before Django reads its settings.

A test run keeps its servers in ``tests/`` below the project's home, apart from the demo's: a
worker of the demo would take the tests' messages. Servers named in the environment are used as
they are. Tests log in as the owner, who creates the test database; ``tests/conftest.py`` then
makes every connection act as the application's role.
"""

import contextlib
import os
from collections.abc import Generator

import pytest

from server.broker import Broker
from server.embedded import EmbeddedServerError, default_home
from server.postgres import Postgres


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start what is missing. A wrapper, since pytest-django reads the settings in this hook."""
    missing = [
        server
        for variable, server in (("DATABASE_URL", Postgres), ("BROKER_URL", Broker))
        if not os.environ.get(variable)
    ]
    if "DATABASE_URL" not in os.environ:
        os.environ["TRIBUTE_HOME"] = str(default_home() / "tests")
    borrowed = contextlib.ExitStack()
    early_config.add_cleanup(borrowed.close)
    for server in missing:
        try:
            os.environ.update(borrowed.enter_context(server().borrowed()))
        except EmbeddedServerError as error:
            raise pytest.UsageError(str(error)) from error
    os.environ.setdefault("TRIBUTE_EMBEDDED", "1")
    if owner := os.environ.pop("OWNER_DATABASE_URL", None):
        os.environ["DATABASE_URL"] = owner
    return (yield)
