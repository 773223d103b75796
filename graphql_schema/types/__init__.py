"""The types of the graph, each built by a classmethod from what the domain returns."""
