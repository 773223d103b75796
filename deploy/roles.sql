-- Two roles for Gatehouse on PostgreSQL 15 or newer, with no more rights than each needs:
--
--   gatehouse_migrate  owns the tables. For `gatehouse migrate` alone.
--   gatehouse_serve    reads and writes rows. For `gatehouse serve` and every other command.
--
-- Run it in the database, as a superuser or as its owner with CREATEROLE:
--
--   psql --single-transaction --set ON_ERROR_STOP=1 --file deploy/roles.sql gatehouse
--
-- You can repeat it. On a database that is in use, run `gatehouse migrate` first: its tables then
-- change their owner. Neither role can sign in before it has a password or another way to
-- authenticate: see docs/how-to/postgresql.md.

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['gatehouse_migrate', 'gatehouse_serve']) AS name
WHERE to_regrole(name) IS NULL
\gexec

-- To act for it below. A superuser does not need this, and the last line takes it back.
GRANT gatehouse_migrate TO CURRENT_USER;

-- Everyone may connect by default, and make temporary tables.
SELECT current_database() AS database \gset
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO gatehouse_migrate, gatehouse_serve;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO gatehouse_migrate;
GRANT USAGE ON SCHEMA public TO gatehouse_serve;

SELECT format('ALTER TABLE %s OWNER TO gatehouse_migrate', oid::regclass)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND relowner <> 'gatehouse_migrate'::regrole
\gexec

SET ROLE gatehouse_migrate;

-- Of all tables, those of later migrations too.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO gatehouse_serve;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO gatehouse_serve;

-- The version of the tables is only read. Migrations keep this table if it is there.
CREATE TABLE IF NOT EXISTS gatehouse_version (version_num varchar(32) PRIMARY KEY);
REVOKE INSERT, UPDATE, DELETE ON gatehouse_version FROM gatehouse_serve;

RESET ROLE;
REVOKE gatehouse_migrate FROM CURRENT_USER;
