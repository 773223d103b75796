"""The cores, and the databases by where they run."""

SERVER_CORE, LOAD_CORE, BOTH_CORES = "0", "1", "0,1"

SQLITE = "SQLite"
OTHER_CORE = "PostgreSQL, another core"
SAME_CORE = "PostgreSQL, same core"
ALL_CORES = "PostgreSQL, both cores"
PGBOUNCER = "PgBouncer, both cores"

# SQLite runs in the server.
POSTGRES_CORES = {OTHER_CORE: LOAD_CORE, SAME_CORE: SERVER_CORE, ALL_CORES: BOTH_CORES}

# In the order of the tables.
KINDS = (OTHER_CORE, SAME_CORE, ALL_CORES, PGBOUNCER, SQLITE)


def as_set(cores: str) -> set[int]:
    return {int(core) for core in cores.split(",")}
