"""The services of a command, and the device that it is recorded as."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.database import prepare_database
from api.services import create_app_state
from domain.devices import Device
from domain.services import Services
from settings import Settings

#: In the security events of the accounts.
OPERATOR_DEVICE = Device.of(None, "gatehouse")


@asynccontextmanager
async def services_of(settings: Settings) -> AsyncIterator[Services]:
    """Open the services of the settings on a database whose tables are up to date.

    Migrates an SQLite file. Raises SchemaMismatch, or the driver's error if the database is not
    available.
    """
    # As `gatehouse migrate`: no client waits for the answer.
    state = create_app_state(settings, time_limit=None)
    try:
        await prepare_database(state.engine)
        yield state.services
    finally:
        await state.services.close()
