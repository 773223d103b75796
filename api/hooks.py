"""Import the class that HOOKS names."""

import importlib
import sys
from pathlib import Path

from domain.hooks import Hooks
from domain.observer import Observer
from settings import Settings


def create_hooks(settings: Settings, observer: Observer) -> Hooks:
    """Import and create the class of HOOKS. Raises ValueError, with one line, if it cannot be
    used."""
    if settings.hooks is None:
        return Hooks()
    module, _, name = settings.hooks.partition(":")
    try:
        created = _import(module, name)()
    except Exception as error:
        # Of code that is not ours: anything can be raised.
        reason = " ".join(str(error).split())
        raise ValueError(f"HOOKS cannot be used: {type(error).__name__}: {reason}") from None
    try:
        return Hooks(created, observer)
    except ValueError as error:
        raise ValueError(f"HOOKS: {error}") from None


def _import(module: str, name: str) -> type:
    # As servers do that import an application: the script of `gatehouse` has another folder.
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    found: type = getattr(importlib.import_module(module), name)
    return found
