"""The rules: plain async functions. Knows no web, no GraphQL, no environment."""
