"""The mutations: a table of contents."""

import strawberry

from graphql_schema.mutations import (
    account_security,
    accounts,
    email_verification,
    passwords,
    posts,
    sessions,
)


@strawberry.type(description="All mutations.")
class Mutation:
    register = accounts.register
    login = sessions.login
    update_me = accounts.update_me
    request_email_verification = email_verification.request_email_verification
    verify_email = email_verification.verify_email
    change_password = passwords.change_password
    request_password_reset = passwords.request_password_reset
    reset_password = passwords.reset_password
    secure_account = account_security.secure_account
    refresh = sessions.refresh
    logout = sessions.logout
    logout_everywhere = sessions.logout_everywhere
    end_session = sessions.end_session
    delete_me = accounts.delete_me
    create_post = posts.create_post
    update_post = posts.update_post
    delete_post = posts.delete_post
