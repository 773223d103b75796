"""The rows: tables, engine, migrations. Knows SQL; knows no rule of the house."""
