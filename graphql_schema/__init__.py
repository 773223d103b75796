"""The graph: translates between the domain and GraphQL, and has no rules of its own."""
