/** All texts of the pages of administrators in English. The other languages have the same keys. */
export const en = {
  roles: { ADMIN: "Administrator", SUPPORT: "Support" },
  disabled: "Disabled",
  enabled: "Enabled",
  lastSeen: "Last seen",
  never: "Not seen lately",

  search: {
    intro: "Find accounts by the beginning of a username or of an email, or by an id.",
    text: "Username, email or id",
    role: "Role",
    state: "State",
    any: "All",
    submit: "Search",
    none: "No account was found.",
    found: (count: number) => (count === 1 ? "One account is shown." : `${count} accounts are shown.`),
    moreShown: (count: number) => (count === 1 ? "One more account." : `${count} more accounts.`),
  },

  invite: {
    title: "Invite someone",
    intro: "They get a mail with a link to create an account with this email. It works once, for seven days.",
    email: "Email",
    submit: "Send the invitation",
    sent: (email: string) => `${email} is invited.`,
  },

  account: {
    back: "Back to the accounts",
    none: "There is no such account. It may have been deleted.",
    facts: "Account",
    id: "Id",
    verified: "verified",
    notVerified: "not verified",
    since: "Created",
    roles: "Roles",
    noRoles: "None",
    state: "State",
    resetRequired: "A new password is required",
    disabledBecause: (reason: string) => `Reason: ${reason}`,
    factors: "Second factors and passkeys",
    noFactors: "None.",
    app: "Authenticator app",
    codesLeft: (count: number) =>
      count === 1 ? "One recovery code is left." : `${count} recovery codes are left.`,
    added: "Added",
    identities: "Linked accounts",
    noIdentities: "None.",
    sessions: "Sessions",
    noSessions: "None is active.",
    impersonated: (name: string | undefined) =>
      `An administrator acts in place of the user${name ? `: ${name}` : ""}`,
    events: "Security events",
  },

  acts: {
    title: "What you can do",
    isStaff: "Your roles do not permit changes of an account that has a role.",
    none: "Your roles do not permit changes of this account.",
    reason: "Reason",
    reasonHint: "On one line. It is kept, and the user can read it.",
    role: "Role",
    checkEmail: "I know that the user reads mail at this email",
    wrongName: "This is not the username.",
    unchanged: "There is nothing to correct.",

    disable: {
      label: "Disable the account",
      about: "Nobody can sign in to it, and all its sessions end at once. The user is told by mail.",
      done: "The account is disabled.",
    },
    enable: {
      label: "Enable the account",
      about: "The user can sign in again, and is told by mail.",
      done: "The account is enabled.",
    },
    requireReset: {
      label: "Require a new password",
      about:
        "The password no longer works, all sessions end, and the user gets a mail with a link to choose a new one.",
      done: "A new password is required.",
    },
    removeFactors: {
      label: "Remove the second factors",
      about:
        "The authenticator app, the recovery codes and all passkeys are removed, and all sessions end. Make sure first that it is the user who asks for it.",
      done: "The second factors are removed.",
    },
    endSessions: {
      label: "End all sessions",
      about: "The user is signed out everywhere and can sign in again.",
      done: "The sessions have ended.",
    },
    grant: {
      label: "Grant a role",
      about: "The role permits acts on the accounts of others from the next request on.",
      done: "The role is granted.",
    },
    revoke: {
      label: "Revoke a role",
      about: "The role permits nothing from the next request on.",
      done: "The role is revoked.",
    },
    impersonate: {
      label: "Act in place of the user",
      about:
        "This tab shows the pages as the user sees them, for at most thirty minutes or until it is loaded again. You cannot change the account. It is on record, and the user is told by mail.",
      done: "",
    },
    correct: {
      label: "Correct the username or the email",
      about: "The user is told by mail, of a new email at both addresses.",
      done: "The account is corrected.",
    },
    export: {
      label: "Export the data",
      about: "You download all that is stored about the user, without secrets, as a JSON file. It is on record.",
      done: "The data is exported.",
    },
    delete: {
      label: "Delete the account",
      about:
        "The account is deleted with everything that belongs to it, at once and permanently. Its security events stay for some time.",
      done: "The account is deleted.",
    },
    erase: {
      label: "Delete the account and erase its data",
      about:
        "The account is deleted with everything that belongs to it, at once and permanently. Devices, addresses and details are removed from its security events, too.",
      done: "The account is deleted, and its data erased.",
    },
  },

  /** Kinds of events that are told to the owner otherwise. */
  kinds: {
    IMPERSONATED: "An administrator signed in in place of the user",
    IMPERSONATION_STARTED: "Signed in in place of another user",
  } as Record<string, string>,
};

export type AdminTexts = typeof en;
