"""Paths of files in the repository that tests read."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SCHEMA = ROOT / "graphql_schema" / "schema.graphql"
