"""Authentication: the ways to sign in, each of which ends in `complete`."""

from domain.authentication.mail_codes import request_sign_in, sign_in_by_mail
from domain.authentication.password import log_in

__all__ = ["log_in", "request_sign_in", "sign_in_by_mail"]
