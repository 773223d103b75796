"""The settings: every environment variable that Gatehouse reads. ``.env.example`` explains each."""

from settings.load import load_settings
from settings.settings import MAX_WORKERS, Settings

__all__ = ["MAX_WORKERS", "Settings", "load_settings"]
