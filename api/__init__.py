"""The web: the only code that knows HTTP."""
