/** All texts of the pages in English. The other languages have the same keys. */
export const en = {
  language: "Language",
  skip: "Skip to content",
  navigation: "Account",
  signOut: "Sign out",
  signedInAs: (name: string) => `Signed in as ${name}`,
  loading: "Loading…",
  tryAgain: "Try again",
  busy: "Please wait…",
  showPassword: "Show password",
  required: "Fill in this field.",

  pages: {
    login: "Sign in",
    "login-by-code": "Sign in with a code",
    "sign-up": "Create an account",
    "forgot-password": "Reset your password",
    "reset-password": "Choose a new password",
    "secure-account": "Secure your account",
    profile: "Profile",
    "verify-email": "Verify your email",
    "change-email": "Change your email",
    "undo-email-change": "Restore your email",
    password: "Password",
    sessions: "Sessions",
    events: "Security events",
    delete: "Delete account",
  },
  notFound: {
    title: "Page not found",
    text: "There is no page at this address.",
    link: "Go to your account",
  },

  fields: {
    login: "Username or email",
    username: "Username",
    email: "Email",
    password: "Password",
    currentPassword: "Current password",
    newPassword: "New password",
    imageFile: "Picture address",
    locale: "Language of mails",
    code: "Code",
  },
  hints: {
    username: "3 to 32 characters: letters a to z, digits, and single . - _ between them.",
    newPassword: "8 to 128 characters. A few words that you do not use elsewhere are best.",
    imageFile: "A file name, or an address that begins with https:// or http://. Optional.",
    emailPassword: "Needed to change your email.",
    isVerified: (is: boolean): string => (is ? "Verified." : "Not verified."),
    code: "The six digits of the newest mail.",
  },

  login: {
    submit: "Sign in",
    byCode: "Sign in with a code sent by mail",
    forgotPassword: "Forgot your password?",
    newHere: "New here?",
    signUp: "Create an account",
    returnsTo: (host: string) => `After signing in, you go back to ${host}.`,
  },
  loginByCode: {
    intro: "Enter the email of your account. You get a mail with a code to sign in.",
    request: "Send the code",
    sent: (email: string, minutes: number) =>
      `If an account has the email ${email}, a code is on its way to it. It works once, for ${minutes} minutes. If nothing arrives, look into the folder for spam and check the email.`,
    enter: (email: string) => `Enter the code of the mail to ${email}. It works in this browser only.`,
    elsewhere:
      "This link works only in the browser that requested the code, and only for a short time. Open it there, or request another code here.",
    submit: "Sign in",
    another: "Send a new code",
    otherEmail: "Use another email",
    byPassword: "Sign in with a password",
  },
  setPassword: {
    title: "You have no password",
    intro:
      "You sign in with codes by mail. Your email had not been verified, so your sign-in removed the former password: someone else could have chosen it.",
    submit: "Send a link to set a password",
    sent: (email: string, minutes: number) =>
      `A link is on its way to ${email}. It works for ${minutes} minutes. If nothing arrives, look into the folder for spam.`,
  },
  signUp: {
    submit: "Create account",
    hasAccount: "Already have an account?",
    login: "Sign in",
    intro: "You get a mail with a code, which you enter in the next step.",
    start: "Continue",
    sent: (email: string, minutes: number) =>
      `A mail is on its way to ${email}. Its code works for ${minutes} minutes. If nothing arrives, look into the folder for spam and check the email.`,
    noCode: "No code, or another email?",
    startAgain: "Start again",
    otherBrowser:
      "This code has expired, or you began in another browser: enter it there, or begin again here.",
    emailTaken: "This email has an account by now. Sign in, or reset your password.",
  },
  forgotPassword: {
    intro: "Enter the email of your account. You get a mail with a link to choose a new password.",
    submit: "Send the link",
    sent: (email: string, minutes: number) =>
      `If an account has the email ${email}, a link is on its way to it. It works for ${minutes} minutes. If nothing arrives, look into the folder for spam and check the email.`,
    login: "Back to the sign-in",
  },
  resetPassword: {
    intro: "A new password signs you out everywhere. Sign in with it afterwards.",
    noToken: "This page needs the link of the mail. Open the link again, or request another one.",
    submit: "Change password",
    done: "Your password is changed, and you are signed out everywhere. Sign in with the new one.",
    requestAnother: "Request another link",
  },
  secureAccount: {
    intro:
      "This signs you out everywhere, and sends a mail with a link to choose a new password. Do so at once: until then, someone who knows the current password can sign in again.",
    noToken: "This page needs the link of the mail. Open the link again.",
    submit: "Sign out everywhere",
    done: "You are signed out everywhere, and a mail with a link is on its way. Open the link and choose a new password.",
    resetOnly: "Only reset your password",
  },
  profile: {
    intro: "What applications know about you. Others see your username and your picture.",
    since: (date: string) => `Member since ${date}`,
    submit: "Save changes",
    saved: "Your changes are saved.",
    unchanged: "There is nothing to save.",
  },
  verification: {
    title: "Your email is not verified",
    intro: (email: string) => `Enter the code of the mail to ${email}, or open its link.`,
    confirm: (email: string, username: string) =>
      `This confirms that ${email} is the email of the account ${username}.`,
    submit: "Verify email",
    send: "Send a new code",
    sent: (email: string, minutes: number) =>
      `A code is on its way to ${email}. It works for ${minutes} minutes. If nothing arrives, look into the folder for spam and check the email.`,
    done: "Your email is verified.",
    already: "Your email is already verified.",
  },
  emailChange: {
    submit: "Change email",
    pending: (email: string) => `The change to ${email} waits for the code that was sent there.`,
    enterCode: "Enter the code",
    sent: (email: string, minutes: number) =>
      `A code is on its way to ${email}. It works for ${minutes} minutes. If nothing arrives, look into the folder for spam, check the email, or use one that has no account yet.`,
    confirm: (email: string, username: string) =>
      `This makes ${email} the email of the account ${username}.`,
    use: "Use this email",
    done: "Your email is changed. The former one gets a link to undo this.",
    nothingPending:
      "There is no change to confirm: it has expired, or was asked for by another account. Start again in your profile.",
    toProfile: "Go to your profile",
  },
  undoEmailChange: {
    intro: "This makes the email that got the link the one of your account again. You are signed out everywhere, the current password no longer works, and you get a mail to choose a new one.",
    noToken: "This page needs the link of the mail. Open the link again.",
    submit: "Undo the change",
    done: "Your email is restored, and you are signed out everywhere. A mail with a link to choose a new password is on its way.",
  },
  password: {
    intro: "Changing your password signs you out everywhere else.",
    submit: "Change password",
    saved: "Your password is changed. You are signed out everywhere else.",
  },
  sessions: {
    intro: "The places where you are signed in. End a session that you do not recognise, and change your password.",
    current: "This device",
    unknownDevice: "Unknown device",
    unknownPlace: "Unknown address",
    lastUsed: "Last used",
    started: "Signed in",
    end: "End session",
    endNamed: (device: string, ip: string) => `End session: ${device}, ${ip}`,
    ended: "The session has ended.",
    endOthers: "End all other sessions",
    othersEnded: (count: number) =>
      count === 1 ? "One other session has ended." : `${count} other sessions have ended.`,
    only: "You are signed in nowhere else.",
  },
  events: {
    intro: "What happened to your account, newest first. Change your password if you do not recognise something.",
    includeRenewals: "Show renewals of sessions too",
    more: "Show more",
    moreShown: (count: number) => (count === 1 ? "One more event." : `${count} more events.`),
    none: "Nothing has happened yet.",
    kinds: {
      REGISTERED: "Account created",
      LOGGED_IN: "Signed in",
      WRONG_PASSWORD: "Wrong password entered",
      SIGN_IN_CODE_REQUESTED: "Code to sign in requested",
      WRONG_CODE: "Wrong code entered",
      REFRESHED: "Session renewed",
      TOKEN_REUSED: "Session ended: a token was used twice and may be stolen",
      EMAIL_CHANGED: "Email changed",
      EMAIL_CHANGE_UNDONE: "Change of the email undone, and all sessions ended",
      EMAIL_VERIFIED: "Email verified",
      PASSWORD_CHANGED: "Password changed",
      PASSWORD_RESET_REQUESTED: "Link to reset the password requested",
      PASSWORD_RESET: "Password reset by a link, and all sessions ended",
      ACCOUNT_SECURED: "Account secured by the link in a notice, and all sessions ended",
      SESSION_ENDED: "Session ended",
      DELETED: "Account deleted",
    } as Record<string, string>,
  },
  delete: {
    intro: "This deletes your account with everything that belongs to it, at once and permanently:",
    lost: [
      "your profile, with username, email and picture",
      "all that you have published",
      "all sessions: you are signed out everywhere",
    ],
    confirm: "Enter your password to confirm.",
    submit: "Delete my account",
  },

  notices: {
    signedOut: "You are signed out.",
    ended: "Your session has ended. Sign in to continue.",
    deleted: "Your account is deleted.",
    perhapsActive:
      "You are signed out in this browser. The server could not be reached, so the session may still be active there.",
  },
  errors: {
    tooManyAttempts: (wait: string) => `Too many attempts. Try again in ${wait}.`,
    wrongLogin: "The username or the password is wrong.",
    invalidCode:
      "The code or the link is wrong, expired, already used or for another account. Request a new code.",
    invalidLink: "This link is wrong, expired or already used. Request another one.",
    emailTaken: "Another account has this email by now. Use a different one.",
    formerEmailTaken:
      "Another account has this email by now. Reset the password of that account, delete it, and open the link again.",
    noMail: "This server sends no mail. Ask its operator for help.",
    notFound: "It is no longer there.",
    overloaded: "The server is busy. Try again in a moment.",
    unavailable: "The server cannot answer at the moment. Try again soon. Your last change may have been saved.",
    network: "The server cannot be reached. Check your connection and try again.",
    unexpected: "Something went wrong. Try again later.",
    reference: (id: string) => `Reference: ${id}`,
    fields: "Check the marked fields.",
  },
  /** Translations of the server's messages about fields. English shows them as they are. */
  server: {} as Record<string, string>,
};

export type Texts = typeof en;
