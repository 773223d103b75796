import type { Texts } from "./en";

export const de: Texts = {
  language: "Sprache",
  skip: "Zum Inhalt",
  navigation: "Konto",
  signOut: "Abmelden",
  signedInAs: (name) => `Angemeldet als ${name}`,
  loading: "Wird geladen …",
  tryAgain: "Erneut versuchen",
  busy: "Bitte warten …",
  showPassword: "Passwort anzeigen",
  required: "Füllen Sie dieses Feld aus.",

  pages: {
    login: "Anmelden",
    "login-by-code": "Mit einem Code anmelden",
    "sign-up": "Konto erstellen",
    "forgot-password": "Passwort zurücksetzen",
    "reset-password": "Neues Passwort wählen",
    "secure-account": "Ihr Konto sichern",
    profile: "Profil",
    "verify-email": "E-Mail bestätigen",
    "change-email": "E-Mail ändern",
    "undo-email-change": "E-Mail wiederherstellen",
    password: "Passwort",
    sessions: "Sitzungen",
    events: "Sicherheitsereignisse",
    delete: "Konto löschen",
  },
  notFound: {
    title: "Seite nicht gefunden",
    text: "Unter dieser Adresse gibt es keine Seite.",
    link: "Zu Ihrem Konto",
  },

  fields: {
    login: "Benutzername oder E-Mail",
    username: "Benutzername",
    email: "E-Mail",
    password: "Passwort",
    currentPassword: "Aktuelles Passwort",
    newPassword: "Neues Passwort",
    imageFile: "Adresse des Bildes",
    locale: "Sprache der Mails",
    code: "Code",
  },
  hints: {
    username: "3 bis 32 Zeichen: Buchstaben a bis z, Ziffern und dazwischen einzelne . - _",
    newPassword: "8 bis 128 Zeichen. Am besten einige Wörter, die Sie sonst nirgends verwenden.",
    imageFile: "Ein Dateiname oder eine Adresse, die mit https:// oder http:// beginnt. Freiwillig.",
    emailPassword: "Nötig, um Ihre E-Mail zu ändern.",
    isVerified: (is) => (is ? "Bestätigt." : "Nicht bestätigt."),
    code: "Die sechs Ziffern aus der neuesten Mail.",
  },

  login: {
    submit: "Anmelden",
    byCode: "Mit einem Code aus einer Mail anmelden",
    forgotPassword: "Passwort vergessen?",
    newHere: "Neu hier?",
    signUp: "Konto erstellen",
    returnsTo: (host) => `Nach dem Anmelden geht es zurück zu ${host}.`,
  },
  loginByCode: {
    intro: "Geben Sie die E-Mail Ihres Kontos ein. Sie erhalten eine Mail mit einem Code zum Anmelden.",
    request: "Code senden",
    sent: (email, minutes) =>
      `Falls ein Konto die E-Mail ${email} hat, ist ein Code dorthin unterwegs. Er gilt einmal, ${minutes} Minuten lang. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach und prüfen Sie die E-Mail.`,
    enter: (email) => `Geben Sie den Code aus der Mail an ${email} ein. Er gilt nur in diesem Browser.`,
    elsewhere:
      "Dieser Link gilt nur in dem Browser, in dem der Code angefordert wurde, und nur kurze Zeit. Öffnen Sie ihn dort, oder fordern Sie hier einen anderen Code an.",
    submit: "Anmelden",
    another: "Neuen Code senden",
    otherEmail: "Andere E-Mail verwenden",
    byPassword: "Mit einem Passwort anmelden",
  },
  setPassword: {
    title: "Sie haben kein Passwort",
    intro:
      "Sie melden sich mit Codes aus Mails an. Ihre E-Mail war noch nicht bestätigt, deshalb hat Ihre Anmeldung das frühere Passwort entfernt: Es könnte von jemand anderem stammen.",
    submit: "Link zum Setzen eines Passworts senden",
    sent: (email, minutes) =>
      `Ein Link ist unterwegs an ${email}. Er gilt ${minutes} Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach.`,
  },
  signUp: {
    submit: "Konto erstellen",
    hasAccount: "Haben Sie schon ein Konto?",
    login: "Anmelden",
    intro: "Sie erhalten eine Mail mit einem Code, den Sie im nächsten Schritt eingeben.",
    start: "Weiter",
    sent: (email, minutes) =>
      `Eine Mail an ${email} ist unterwegs. Der Code darin gilt ${minutes} Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach und prüfen Sie die E-Mail.`,
    noCode: "Kein Code, oder eine andere E-Mail?",
    startAgain: "Neu beginnen",
    otherBrowser:
      "Dieser Code ist abgelaufen, oder Sie haben in einem anderen Browser begonnen: Geben Sie ihn dort ein, oder beginnen Sie hier neu.",
    emailTaken: "Diese E-Mail hat inzwischen ein Konto. Melden Sie sich an, oder setzen Sie Ihr Passwort zurück.",
  },
  forgotPassword: {
    intro: "Geben Sie die E-Mail Ihres Kontos ein. Sie erhalten eine Mail mit einem Link, um ein neues Passwort zu wählen.",
    submit: "Link senden",
    sent: (email, minutes) =>
      `Falls ein Konto die E-Mail ${email} hat, ist ein Link dorthin unterwegs. Er gilt ${minutes} Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach und prüfen Sie die E-Mail.`,
    login: "Zurück zur Anmeldung",
  },
  resetPassword: {
    intro: "Mit einem neuen Passwort werden Sie überall abgemeldet. Melden Sie sich danach damit an.",
    noToken: "Diese Seite braucht den Link aus der Mail. Öffnen Sie ihn noch einmal, oder fordern Sie einen neuen an.",
    submit: "Passwort ändern",
    done: "Ihr Passwort ist geändert, und Sie sind überall abgemeldet. Melden Sie sich mit dem neuen an.",
    requestAnother: "Neuen Link anfordern",
  },
  secureAccount: {
    intro:
      "Damit werden Sie überall abgemeldet und erhalten eine Mail mit einem Link, um ein neues Passwort zu wählen. Tun Sie das sofort: Bis dahin kann sich jemand, der das jetzige Passwort kennt, wieder anmelden.",
    noToken: "Diese Seite braucht den Link aus der Mail. Öffnen Sie ihn noch einmal.",
    submit: "Überall abmelden",
    done: "Sie sind überall abgemeldet, und eine Mail mit einem Link ist unterwegs. Öffnen Sie ihn und wählen Sie ein neues Passwort.",
    resetOnly: "Nur das Passwort zurücksetzen",
  },
  profile: {
    intro: "Was Anwendungen über Sie wissen. Andere sehen Ihren Benutzernamen und Ihr Bild.",
    since: (date) => `Mitglied seit ${date}`,
    submit: "Änderungen speichern",
    saved: "Ihre Änderungen sind gespeichert.",
    unchanged: "Es gibt nichts zu speichern.",
  },
  verification: {
    title: "Ihre E-Mail ist nicht bestätigt",
    intro: (email) => `Geben Sie den Code aus der Mail an ${email} ein, oder öffnen Sie ihren Link.`,
    confirm: (email, username) =>
      `Damit bestätigen Sie, dass ${email} die E-Mail des Kontos ${username} ist.`,
    submit: "E-Mail bestätigen",
    send: "Neuen Code senden",
    sent: (email, minutes) =>
      `Ein Code ist unterwegs an ${email}. Er gilt ${minutes} Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach und prüfen Sie die E-Mail.`,
    done: "Ihre E-Mail ist bestätigt.",
    already: "Ihre E-Mail ist schon bestätigt.",
  },
  emailChange: {
    submit: "E-Mail ändern",
    pending: (email) => `Die Änderung auf ${email} wartet auf den Code, der dorthin gesendet wurde.`,
    enterCode: "Code eingeben",
    sent: (email, minutes) =>
      `Ein Code ist unterwegs an ${email}. Er gilt ${minutes} Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach, prüfen Sie die E-Mail, oder nehmen Sie eine, die noch kein Konto hat.`,
    confirm: (email, username) =>
      `Damit wird ${email} die E-Mail des Kontos ${username}.`,
    use: "Diese E-Mail verwenden",
    done: "Ihre E-Mail ist geändert. Die bisherige erhält einen Link, um das rückgängig zu machen.",
    nothingPending:
      "Es gibt keine Änderung zu bestätigen: Sie ist abgelaufen oder gehört zu einem anderen Konto. Beginnen Sie im Profil noch einmal.",
    toProfile: "Zum Profil",
  },
  undoEmailChange: {
    intro: "Damit wird die E-Mail, die den Link erhalten hat, wieder die Ihres Kontos. Sie werden überall abgemeldet, das jetzige Passwort gilt nicht mehr, und Sie erhalten eine Mail, um ein neues zu wählen.",
    noToken: "Diese Seite braucht den Link aus der Mail. Öffnen Sie ihn noch einmal.",
    submit: "Änderung rückgängig machen",
    done: "Ihre E-Mail ist wiederhergestellt, und Sie sind überall abgemeldet. Eine Mail mit einem Link, um ein neues Passwort zu wählen, ist unterwegs.",
  },
  password: {
    intro: "Wenn Sie Ihr Passwort ändern, werden Sie überall sonst abgemeldet.",
    submit: "Passwort ändern",
    saved: "Ihr Passwort ist geändert. Sie sind überall sonst abgemeldet.",
  },
  sessions: {
    intro: "Hier sind Sie angemeldet. Beenden Sie eine Sitzung, die Sie nicht kennen, und ändern Sie Ihr Passwort.",
    current: "Dieses Gerät",
    unknownDevice: "Unbekanntes Gerät",
    unknownPlace: "Unbekannte Adresse",
    lastUsed: "Zuletzt benutzt",
    started: "Angemeldet",
    end: "Sitzung beenden",
    endNamed: (device, ip) => `Sitzung beenden: ${device}, ${ip}`,
    ended: "Die Sitzung ist beendet.",
    endOthers: "Alle anderen Sitzungen beenden",
    othersEnded: (count) =>
      count === 1 ? "Eine andere Sitzung ist beendet." : `${count} andere Sitzungen sind beendet.`,
    only: "Sie sind sonst nirgends angemeldet.",
  },
  events: {
    intro: "Was mit Ihrem Konto geschehen ist, das Neueste zuerst. Ändern Sie Ihr Passwort, wenn Sie etwas nicht kennen.",
    includeRenewals: "Auch Erneuerungen von Sitzungen anzeigen",
    more: "Mehr anzeigen",
    moreShown: (count) => (count === 1 ? "Ein weiteres Ereignis." : `${count} weitere Ereignisse.`),
    none: "Es ist noch nichts geschehen.",
    kinds: {
      REGISTERED: "Konto erstellt",
      LOGGED_IN: "Angemeldet",
      WRONG_PASSWORD: "Falsches Passwort eingegeben",
      SIGN_IN_CODE_REQUESTED: "Code zum Anmelden angefordert",
      WRONG_CODE: "Falschen Code eingegeben",
      SECOND_FACTOR_REQUESTED: "Erster Schritt einer Anmeldung bestanden: zweiter Faktor verlangt",
      REAUTHENTICATED: "Identität erneut bestätigt",
      TOTP_ADDED: "Authenticator-App eingerichtet und alle anderen Sitzungen beendet",
      TOTP_REMOVED: "Authenticator-App entfernt",
      RECOVERY_CODE_USED: "Wiederherstellungscode benutzt",
      RECOVERY_CODES_REPLACED: "Neue Wiederherstellungscodes erstellt",
      PASSKEY_ADDED: "Passkey hinzugefügt",
      PASSKEY_REMOVED: "Passkey entfernt",
      PASSKEY_COUNTER: "Passkey benutzt, der vielleicht kopiert wurde",
      FACTORS_REMOVED: "Authenticator-App und Passkeys vom Betreiber entfernt und alle Sitzungen beendet",
      REFRESHED: "Sitzung erneuert",
      TOKEN_REUSED: "Sitzung beendet: Ein Token wurde zweimal benutzt und ist vielleicht gestohlen",
      EMAIL_CHANGED: "E-Mail geändert",
      EMAIL_CHANGE_UNDONE: "Änderung der E-Mail rückgängig gemacht und alle Sitzungen beendet",
      EMAIL_VERIFIED: "E-Mail bestätigt",
      PASSWORD_CHANGED: "Passwort geändert",
      PASSWORD_RESET_REQUESTED: "Link zum Zurücksetzen des Passworts angefordert",
      PASSWORD_RESET: "Passwort durch einen Link zurückgesetzt und alle Sitzungen beendet",
      ACCOUNT_SECURED: "Konto durch den Link in einer Nachricht gesichert und alle Sitzungen beendet",
      SESSION_ENDED: "Sitzung beendet",
      DELETED: "Konto gelöscht",
    },
  },
  delete: {
    intro: "Damit wird Ihr Konto mit allem, was dazugehört, sofort und endgültig gelöscht:",
    lost: [
      "Ihr Profil mit Benutzername, E-Mail und Bild",
      "alles, was Sie veröffentlicht haben",
      "alle Sitzungen: Sie werden überall abgemeldet",
    ],
    confirm: "Geben Sie zur Bestätigung Ihr Passwort ein.",
    submit: "Mein Konto löschen",
  },

  notices: {
    signedOut: "Sie sind abgemeldet.",
    ended: "Ihre Sitzung ist beendet. Melden Sie sich an, um fortzufahren.",
    deleted: "Ihr Konto ist gelöscht.",
    perhapsActive:
      "Sie sind in diesem Browser abgemeldet. Der Server war nicht erreichbar, und die Sitzung ist dort vielleicht noch aktiv.",
  },
  errors: {
    tooManyAttempts: (wait) => `Zu viele Versuche. Versuchen Sie es in ${wait} wieder.`,
    wrongLogin: "Der Benutzername oder das Passwort ist falsch.",
    invalidCode:
      "Der Code oder der Link ist falsch, abgelaufen, schon benutzt oder für ein anderes Konto. Fordern Sie einen neuen Code an.",
    invalidLink: "Dieser Link ist falsch, abgelaufen oder schon benutzt. Fordern Sie einen neuen an.",
    emailTaken: "Ein anderes Konto hat diese E-Mail inzwischen. Verwenden Sie eine andere.",
    formerEmailTaken:
      "Ein anderes Konto hat diese E-Mail inzwischen. Setzen Sie das Passwort jenes Kontos zurück, löschen Sie es, und öffnen Sie den Link noch einmal.",
    noMail: "Dieser Server versendet keine Mails. Bitten Sie den Betreiber um Hilfe.",
    notFound: "Das gibt es nicht mehr.",
    overloaded: "Der Server ist ausgelastet. Versuchen Sie es gleich noch einmal.",
    unavailable:
      "Der Server kann gerade nicht antworten. Versuchen Sie es bald wieder. Ihre letzte Änderung ist vielleicht gespeichert.",
    network: "Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es erneut.",
    unexpected: "Etwas ist schiefgegangen. Versuchen Sie es später noch einmal.",
    reference: (id) => `Kennzeichen: ${id}`,
    fields: "Prüfen Sie die markierten Felder.",
  },
  server: {
    "A username must have 3 to 32 characters.": "Ein Benutzername muss 3 bis 32 Zeichen haben.",
    "A username may contain the letters a to z, digits, and single dots, hyphens or underscores between them.":
      "Ein Benutzername darf die Buchstaben a bis z, Ziffern und dazwischen einzelne Punkte, Binde- oder Unterstriche haben.",
    "This username, or one that looks the same, is already taken.":
      "Dieser Benutzername, oder einer, der gleich aussieht, ist schon vergeben.",
    "Enter a valid email address.": "Geben Sie eine gültige E-Mail-Adresse ein.",
    "This is your email already.": "Das ist schon Ihre E-Mail.",
    "An account with this email already exists.": "Mit dieser E-Mail gibt es schon ein Konto.",
    "A password must have 8 to 128 characters.": "Ein Passwort muss 8 bis 128 Zeichen haben.",
    "A password must not contain NUL characters or lone surrogates.":
      "Ein Passwort darf keine unlesbaren Zeichen enthalten.",
    "This password is too common. Choose another one.":
      "Dieses Passwort ist zu verbreitet. Wählen Sie ein anderes.",
    "The password must not be the username or the email.":
      "Das Passwort darf nicht der Benutzername oder die E-Mail sein.",
    "Your account has no password. Set one with a link by mail.":
      "Ihr Konto hat kein Passwort. Setzen Sie eines mit einem Link aus einer Mail.",
    "The current password is wrong.": "Das aktuelle Passwort ist falsch.",
    "Your email is already verified.": "Ihre E-Mail ist schon bestätigt.",
    "There is no such mailbox. Change your email.":
      "Dieses Postfach gibt es nicht. Ändern Sie Ihre E-Mail.",
    "Your account has a password. Use changePassword.":
      "Ihr Konto hat schon ein Passwort. Ändern Sie es.",
    "The code is wrong, expired or already used.":
      "Der Code ist falsch, abgelaufen oder schon benutzt.",
    "The code is wrong, expired or already used. Enter the one that the app shows now.":
      "Der Code ist falsch, abgelaufen oder schon benutzt. Geben Sie den ein, den die App gerade zeigt.",
    "An image file must be a file name or an http or https URL.":
      "Das Bild muss ein Dateiname oder eine http- oder https-Adresse sein.",
  },
};
