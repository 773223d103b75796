"""The graph: translates between the domain and GraphQL, and decides nothing."""
