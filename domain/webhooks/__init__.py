"""Webhooks: requests to the endpoints of the operator, about what happened (Standard Webhooks
1.0.0)."""

from domain.webhooks.endpoints import Endpoint, Webhooks, types_matching

__all__ = ["Endpoint", "Webhooks", "types_matching"]
