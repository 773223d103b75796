"""The REST endpoints for OAuth2 tools."""
