"""The sentences elsewhere in the documentation that repeat results."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks import targets
from benchmarks.placements import OTHER_CORE
from benchmarks.ratios import AT_THRESHOLD, Round, brief, relative_to, relative_to_argon2

LOGINS = 0.9


def claims(results: Mapping[str, Sequence[Round]]) -> Iterator[str]:
    """Yield the sentences for "How fast" in README.md, from the parts that have been measured."""
    if "me" in results:
        naive, mercurius, bun = (
            brief(relative_to(results["me"], peer.name)[AT_THRESHOLD].median)
            for peer in (targets.NAIVE, targets.MERCURIUS, targets.BUN_JIT)
        )
        yield (
            "With its log on, one worker on one core, 16 connections and PostgreSQL on another core, "
            f"Gatehouse serves {naive} times as many `me` requests as a plain Strawberry and FastAPI "
            f"server, {mercurius} times as many as Mercurius with JIT on Node.js, and {bun} times as "
            "many as graphql-jit on Bun."
        )
    if "hashing" in results:
        login = relative_to_argon2(results["hashing"], "1", "login")[OTHER_CORE]
        target = "reach their target" if login.median >= LOGINS else "miss their target"
        yield (
            f"Sign-ins reach {brief(login.median)} of the speed of Argon2 alone, and {target} of {LOGINS}."
        )
