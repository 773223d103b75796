"""The execution engine: parses, limits, plans and executes documents. It knows none of the
schema's types."""
