"""The database: tables, engines, migrations. It knows SQL and none of the domain's rules."""
