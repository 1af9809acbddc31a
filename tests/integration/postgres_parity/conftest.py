"""One PostgreSQL for all tests of this folder."""

import pytest

from servers.postgres import Postgres


@pytest.fixture(scope="session")
def postgres_server():
    with Postgres() as server:
        yield server
