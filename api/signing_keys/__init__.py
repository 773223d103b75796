"""The folder that holds the keys which sign access tokens."""
