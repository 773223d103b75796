"""Work that is done once for all who ask for it at the same time."""

import asyncio

from db.shared_runs import SharedRuns


async def test_those_who_ask_during_a_run_share_the_next_one() -> None:
    begun, may_end = [asyncio.Event() for _ in range(3)], asyncio.Event()
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        begun[runs].set()
        await may_end.wait()

    shared = SharedRuns(run)
    first = asyncio.create_task(shared.wait())
    await begun[1].wait()
    others = [asyncio.create_task(shared.wait()) for _ in range(5)]
    may_end.set()
    await asyncio.gather(first, *others)

    assert runs == 2


async def test_one_who_leaves_does_not_end_the_run_of_the_others() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        begun.set()
        await may_end.wait()

    shared = SharedRuns(run)
    leaves, stays = (asyncio.create_task(shared.wait()) for _ in range(2))
    await begun.wait()
    leaves.cancel()
    await asyncio.wait((leaves,))
    may_end.set()
    await stays

    assert leaves.cancelled()
