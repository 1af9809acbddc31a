"""Async scalar functions: the rows of a batch at the same time, on one loop that lives as long as the worker."""

import asyncio

CALLS_MAX = 100  # at the same time: each may hold a connection


def runner(function):
    """Takes the arguments of each row, gives (result, None) or (None, what was raised) for each, in their order."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # for what open() makes

    async def call(slots, arguments):
        async with slots:
            try:
                return await function(*arguments), None
            except BaseException as error:  # SystemExit too: it is the row's
                return None, error

    async def call_all(rows):
        slots = asyncio.Semaphore(CALLS_MAX)
        return await asyncio.gather(*(call(slots, arguments) for arguments in rows))

    return lambda rows: loop.run_until_complete(call_all(rows))
