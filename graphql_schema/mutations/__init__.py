"""The mutations: a table of contents."""

import strawberry

from graphql_schema.mutations import (
    account_security,
    accounts,
    admin,
    email_change,
    email_verification,
    mail_codes,
    passkeys,
    passwords,
    posts,
    providers,
    reauthentication,
    second_factors,
    sessions,
    verified_registration,
)


@strawberry.type(description="All mutations.")
class Mutation:
    register = accounts.register
    start_registration = verified_registration.start_registration
    finish_registration = verified_registration.finish_registration
    login = sessions.login
    request_sign_in = mail_codes.request_sign_in
    sign_in_by_mail = mail_codes.sign_in_by_mail
    pass_second_factor = second_factors.pass_second_factor
    finish_sign_in = providers.finish_sign_in
    reauthenticate = reauthentication.reauthenticate
    start_passkey_sign_in = passkeys.start_passkey_sign_in
    sign_in_by_passkey = passkeys.sign_in_by_passkey
    update_me = accounts.update_me
    request_email_verification = email_verification.request_email_verification
    verify_email = email_verification.verify_email
    request_email_change = email_change.request_email_change
    confirm_email_change = email_change.confirm_email_change
    undo_email_change = email_change.undo_email_change
    change_password = passwords.change_password
    set_password = passwords.set_password
    request_password_reset = passwords.request_password_reset
    reset_password = passwords.reset_password
    start_totp = second_factors.start_totp
    confirm_totp = second_factors.confirm_totp
    remove_totp = second_factors.remove_totp
    replace_recovery_codes = second_factors.replace_recovery_codes
    start_passkey = passkeys.start_passkey
    finish_passkey = passkeys.finish_passkey
    rename_passkey = passkeys.rename_passkey
    remove_passkey = passkeys.remove_passkey
    start_linking = providers.start_linking
    finish_linking = providers.finish_linking
    unlink = providers.unlink
    secure_account = account_security.secure_account
    refresh = sessions.refresh
    logout = sessions.logout
    logout_everywhere = sessions.logout_everywhere
    end_session = sessions.end_session
    export_my_data = accounts.export_my_data
    delete_me = accounts.delete_me
    create_post = posts.create_post
    update_post = posts.update_post
    delete_post = posts.delete_post
    disable_account = admin.disable_account
    enable_account = admin.enable_account
    require_password_reset = admin.require_password_reset
    remove_second_factors = admin.remove_second_factors
    end_sessions_of = admin.end_sessions_of
    grant_role = admin.grant_role
    revoke_role = admin.revoke_role
    impersonate = admin.impersonate
    correct_account = admin.correct_account
    delete_account = admin.delete_account
    export_account = admin.export_account
