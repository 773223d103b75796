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
    "second-factor": "Zweiter Schritt der Anmeldung",
    "finish-sign-in": "Anmeldung abschließen",
    "sign-up": "Konto erstellen",
    "forgot-password": "Passwort zurücksetzen",
    "reset-password": "Neues Passwort wählen",
    "secure-account": "Ihr Konto sichern",
    profile: "Profil",
    "verify-email": "E-Mail bestätigen",
    "change-email": "E-Mail ändern",
    "undo-email-change": "E-Mail wiederherstellen",
    security: "Anmeldung und Sicherheit",
    password: "Passwort",
    "authenticator-app": "Authenticator-App einrichten",
    "new-passkey": "Passkey erstellen",
    sessions: "Sitzungen",
    events: "Sicherheitsereignisse",
    delete: "Konto löschen",
    admin: "Verwaltung",
    "admin-account": "Konto eines Benutzers",
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
    appCode: "Code der Authenticator-App",
    recoveryCode: "Wiederherstellungscode",
    passkeyName: "Name des Passkeys",
    confirmUsername: (username) => `Geben Sie zur Bestätigung ${username} ein`,
  },
  hints: {
    username: "3 bis 32 Zeichen: Buchstaben a bis z, Ziffern und dazwischen einzelne . - _",
    newPassword: "8 bis 128 Zeichen. Am besten einige Wörter, die Sie sonst nirgends verwenden.",
    imageFile: "Ein Dateiname oder eine Adresse, die mit https:// oder http:// beginnt. Freiwillig.",
    isVerified: (is) => (is ? "Bestätigt." : "Nicht bestätigt."),
    code: "Die sechs Ziffern aus der neuesten Mail.",
    appCode: "Die sechs Ziffern, die die App jetzt anzeigt.",
    recoveryCode: "Sechs Gruppen aus vier Zeichen. Jeder Code gilt einmal.",
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
      "Sie melden sich mit Codes aus Mails an. Falls Ihre E-Mail noch nicht bestätigt war, hat Ihre erste Anmeldung mit einem Code das frühere Passwort entfernt: Es könnte von jemand anderem stammen.",
    link: "Passwort setzen",
    pageIntro:
      "Ihr Konto hat kein Passwort. Mit einem können Sie sich ohne Ihr Postfach, einen Passkey oder ein anderes Konto anmelden.",
    submit: "Passwort setzen",
    saved: "Ihr Passwort ist gesetzt. Sie sind überall sonst abgemeldet.",
  },
  signUp: {
    submit: "Konto erstellen",
    hasAccount: "Haben Sie schon ein Konto?",
    login: "Anmelden",
    intro: "Sie erhalten eine Mail mit einem Code, den Sie im nächsten Schritt eingeben.",
    invited: "Sie sind eingeladen. Verwenden Sie die E-Mail, an die die Einladung ging.",
    byInvitation: "Konten werden nur auf Einladung angelegt. Öffnen Sie den Link in der Mail, die Sie einlädt.",
    closed: "Hier werden zurzeit keine Konten angelegt.",
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
      "Damit werden Sie überall abgemeldet, kürzlich hinzugefügte Authenticator-Apps und Passkeys werden entfernt, und Sie erhalten eine Mail mit einem Link, um ein neues Passwort zu wählen. Tun Sie das sofort: Bis dahin kann sich jemand, der das jetzige Passwort kennt, wieder anmelden.",
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
    updated: "Ihr Profil wurde auf einer anderen Seite oder einem anderen Gerät geändert.",
    export: "Ihre Daten",
    exportIntro: "Alles, was über Sie gespeichert ist, ohne Geheimnisse, als JSON-Datei.",
    exportSubmit: "Ihre Daten herunterladen",
  },
  picture: {
    title: "Bild",
    intro: "Eine Datei in JPEG, PNG oder WebP. Andere sehen das Bild.",
    elsewhere: "Anwendungen zeigen vielleicht das Bild an der Adresse, die Sie angegeben haben.",
    yours: "Ihr Bild",
    choose: "Bild auswählen",
    crop: "Ausschnitt wählen",
    part: "Der Ausschnitt des Bildes, der gezeigt wird",
    hint: "Ziehen Sie das Bild, oder verschieben Sie es mit den Pfeiltasten. Die Tasten + und − ändern die Größe.",
    zoom: "Größe",
    save: "Speichern",
    saved: "Ihr Bild ist gespeichert.",
    remove: "Entfernen",
    removeNamed: "Bild entfernen",
    removeTitle: "Bild entfernen?",
    confirmRemove: "Es wird gelöscht. Andere sehen ihre Kopie davon vielleicht noch eine Weile.",
    removed: "Ihr Bild ist entfernt.",
    unreadable: "Diese Datei ist kein lesbares Bild. Wählen Sie eine Datei in JPEG, PNG oder WebP.",
    wrongType: "Der Server nimmt solche Bilder nicht an. Wählen Sie eine Datei in JPEG, PNG oder WebP.",
    tooLarge: "Dieses Bild ist zu groß für Ihren Browser. Wählen Sie ein kleineres.",
    tooManyBytes: "Dieses Bild ist zu groß für den Server. Wählen Sie ein kleineres.",
    unavailable: "Der Server kann gerade keine Bilder speichern. Versuchen Sie es bald wieder.",
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
  secondFactor: {
    intro: "Der erste Schritt war richtig. Geben Sie nun den Code ein, den Ihre Authenticator-App anzeigt.",
    submit: "Anmelden",
    beginAgain: "Neu beginnen",
    expired: "Die Anmeldung hat zu lange gedauert. Beginnen Sie noch einmal.",
    dead: "Zu viele falsche Codes. Beginnen Sie noch einmal.",
    setUpFirst: "Dieser Server verlangt einen zweiten Faktor. Richten Sie einen ein, um fortzufahren.",
  },
  factors: {
    useRecoveryCode: "Stattdessen einen Wiederherstellungscode verwenden",
    useApp: "Stattdessen die Authenticator-App verwenden",
    usePasskey: "Passkey verwenden",
    wrongCode: "Der Code ist falsch, abgelaufen oder schon benutzt. Warten Sie auf den nächsten.",
    wrongRecoveryCode: "Der Code ist falsch oder schon benutzt.",
    wrongPasskey:
      "Dieser Passkey gilt hier nicht: Er wurde entfernt, gehört zu einem anderen Konto, oder der Versuch hat zu lange gedauert.",
    passkeyNotUsed: "Es wurde kein Passkey verwendet. Versuchen Sie es noch einmal oder auf einem anderen Weg.",
  },
  proof: {
    title: "Bestätigen Sie, dass Sie es sind",
    intro:
      "Das ist besonders geschützt. Weisen Sie deshalb noch einmal nach, wer Sie sind.",
    submit: "Bestätigen",
    cancel: "Abbrechen",
    signIn: "Melden Sie sich noch einmal an, um fortzufahren. Sie kehren auf diese Seite zurück.",
    signInLink: "Noch einmal anmelden",
  },
  security: {
    intro: "Wie Sie sich anmelden, und was Ihr Konto schützt.",
    toSecurity: "Zurück zu Anmeldung und Sicherheit",
    passwordIsSet: "Sie melden sich mit Benutzername oder E-Mail und einem Passwort an.",
    noPassword: "Ihr Konto hat kein Passwort.",
    changePassword: "Passwort ändern",
    setPassword: "Passwort setzen",
    verifyFirst:
      "Bestätigen Sie zuerst Ihre E-Mail, damit nur Sie einen Weg zum Anmelden hinzufügen können.",
  },
  authenticatorApp: {
    title: "Authenticator-App",
    on: "Ein",
    isOff:
      "Eine App auf Ihrem Telefon zeigt einen Code an, der alle 30 Sekunden wechselt. Die Anmeldung verlangt dann auch ihn.",
    isOn: "Die Anmeldung verlangt einen Code Ihrer App.",
    setUp: "Authenticator-App einrichten",
    replace: "App ersetzen",
    remove: "App entfernen",
    confirmRemove:
      "Die Anmeldung verlangt dann keinen Code mehr, und Ihre Wiederherstellungscodes gelten nicht mehr.",
    removed: "Die Authenticator-App ist entfernt.",
    intro:
      "Lesen Sie das Bild mit einer Authenticator-App ein, und geben Sie dann den Code ein, den sie anzeigt. Sie werden überall sonst abgemeldet.",
    keepsWorking: "Bis dahin gilt Ihre jetzige App weiter.",
    required: "Dieser Server verlangt einen zweiten Faktor: Ohne ihn können Sie sonst nichts tun.",
    picture: "QR-Code für die Authenticator-App",
    secret: "Oder geben Sie diesen Schlüssel in die App ein:",
    open: "App auf diesem Gerät öffnen",
    submit: "Einschalten",
    done: "Die Authenticator-App ist eingerichtet. Sie sind überall sonst abgemeldet.",
    changed: "Der Schlüssel ist abgelaufen, deshalb gibt es einen neuen. Lesen Sie das neue Bild ein.",
    start: "QR-Code anzeigen",
    orPasskey: "Oder verwenden Sie einen Passkey als zweiten Faktor.",
  },
  recoveryCodes: {
    title: "Wiederherstellungscodes",
    left: (count) =>
      count === 1
        ? "Ein Wiederherstellungscode ist übrig."
        : `${count} Wiederherstellungscodes sind übrig.`,
    few: "Holen Sie neue, bevor sie ausgehen: Ohne Ihre App sind sie der Weg zu Ihrem Konto.",
    replace: "Neue Wiederherstellungscodes holen",
    confirmReplace: "Die Codes, die Sie haben, gelten dann nicht mehr.",
    intro:
      "Bewahren Sie diese Codes sicher auf. Jeder davon meldet Sie einmal an, wenn Sie Ihre App verlieren. Sie werden nur jetzt angezeigt.",
    of: (name, username) => `Wiederherstellungscodes von ${username} bei ${name}`,
    copy: "Kopieren",
    copied: "Die Codes sind kopiert.",
    download: "Herunterladen",
    print: "Drucken",
    done: "Ich habe die Codes gesichert",
  },
  passkeys: {
    title: "Passkeys",
    intro:
      "Ein Passkey meldet Sie mit Ihrem Fingerabdruck, Ihrem Gesicht oder der PIN Ihres Geräts an, ohne Passwort.",
    signIn: "Mit einem Passkey anmelden",
    none: "Sie haben keinen Passkey.",
    add: "Passkey hinzufügen",
    added: "Ihr Passkey ist hinzugefügt.",
    notCreated: "Es wurde kein Passkey erstellt.",
    alreadyHere: "Dieses Gerät hat schon einen Passkey Ihres Kontos.",
    synced: "Auch auf Ihren anderen Geräten",
    notSynced: "Nur auf einem Gerät",
    created: "Hinzugefügt",
    lastUsed: "Zuletzt benutzt",
    neverUsed: "Noch nicht benutzt",
    rename: "Umbenennen",
    renameNamed: (name) => `${name} umbenennen`,
    renameTitle: "Passkey umbenennen",
    renamed: "Der Passkey ist umbenannt.",
    save: "Speichern",
    remove: "Entfernen",
    removeNamed: (name) => `${name} entfernen`,
    removeTitle: (name) => `${name} entfernen?`,
    confirmRemove:
      "Er meldet Sie dann nicht mehr an. Ihr Gerät fragt vielleicht, ob es ihn auch löschen soll.",
    removed: "Der Passkey ist entfernt.",
    elsewhere: (domain) => `Passkeys dieses Servers gelten nur auf Seiten von ${domain}.`,
    unsupported: "Dieser Browser kann keine Passkeys verwenden.",
    instead: "Passkey statt eines Passworts verwenden",
    insteadHint:
      "Ihr Gerät fragt nach Ihrem Fingerabdruck, Ihrem Gesicht oder seiner PIN, wenn Ihre E-Mail bestätigt ist.",
    accountExists: (username) =>
      `Ihr Konto ${username} ist erstellt. Erstellen Sie nun den Passkey, der Sie anmeldet.`,
    create: "Passkey erstellen",
    failed:
      "Ihr Konto besteht, hat aber noch keinen Passkey. Versuchen Sie es noch einmal, oder setzen Sie ein Passwort. Bis dahin meldet Sie ein Code aus einer Mail an.",
  },
  providers: {
    otherWays: "Andere Wege zur Anmeldung",
    title: "Verbundene Konten",
    intro: "Melden Sie sich mit einem Konto an, das Sie anderswo haben.",
    theProvider: "dem anderen Konto",
    signIn: (label) => `Weiter mit ${label}`,
    chooseUsername: "Ihr Konto ist fast fertig. Wählen Sie den Benutzernamen, den andere sehen.",
    anotherWay: "Auf einem anderen Weg anmelden",
    none: "Kein anderes Konto ist verbunden.",
    link: (label) => `${label} verbinden`,
    linked: "Das Konto ist verbunden. Sie können sich ab jetzt damit anmelden.",
    created: "Verbunden",
    lastUsed: "Zuletzt benutzt",
    neverUsed: "Noch nicht benutzt",
    unlink: "Trennen",
    unlinkNamed: (label) => `${label} trennen`,
    unlinkTitle: (label) => `${label} trennen?`,
    confirmUnlink: (label) =>
      `Sie können sich hier dann nicht mehr mit ${label} anmelden. Ihr Konto dort bleibt bestehen.`,
    unlinked: "Das Konto ist getrennt.",
    emailTaken: (label) =>
      `Ein Konto hat hier schon die E-Mail von ${label}. Melden Sie sich dort an, und verbinden Sie ${label} dann unter „Anmeldung und Sicherheit“.`,
    emailNotVerified: (label) =>
      `Dieser Server verlangt eine bestätigte E-Mail, und bei ${label} ist Ihre nicht bestätigt. Bestätigen Sie sie dort, oder erstellen Sie ein Konto mit einer E-Mail.`,
    failures: {
      access_denied: (label) => `Sie haben die Anmeldung mit ${label} abgebrochen.`,
      provider_unavailable: (label) =>
        `Die Anmeldung mit ${label} ist gerade nicht möglich. Versuchen Sie es bald wieder, oder wählen Sie einen anderen Weg.`,
      provider_refused: (label) =>
        `Die Anmeldung mit ${label} wurde abgelehnt. Versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.`,
      provider_invalid: (label) =>
        `Die Antwort zur Anmeldung mit ${label} ließ sich nicht prüfen. Wählen Sie einen anderen Weg, oder bitten Sie den Betreiber dieses Servers um Hilfe.`,
      unknown_provider: () =>
        "Diese Anmeldung gibt es auf diesem Server nicht mehr. Wählen Sie einen anderen Weg.",
      invalid_request: () =>
        "Die Anmeldung konnte nicht beginnen. Öffnen Sie diese Seite unter ihrer üblichen Adresse, und versuchen Sie es noch einmal.",
      invalid_sign_in: (label) =>
        `Die Anmeldung mit ${label} ist abgelaufen, wurde schon benutzt oder hat anderswo begonnen. Beginnen Sie noch einmal.`,
      too_many_attempts: () => "Zu viele Versuche. Versuchen Sie es später wieder.",
    },
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
    newBadge: "Neu",
    endedBadge: "Beendet",
    hasStarted: (device, ip) => `Neue Sitzung: ${device}, ${ip}.`,
    hasEnded: (device, ip) => `Sitzung beendet: ${device}, ${ip}.`,
    impersonated: (name) => `Die Verwaltung handelt an Ihrer Stelle${name ? `: ${name}` : ""}`,
  },
  events: {
    intro: "Was mit Ihrem Konto geschehen ist, das Neueste zuerst. Ändern Sie Ihr Passwort, wenn Sie etwas nicht kennen.",
    includeRenewals: "Auch Erneuerungen von Sitzungen anzeigen",
    more: "Mehr anzeigen",
    moreShown: (count) => (count === 1 ? "Ein weiteres Ereignis." : `${count} weitere Ereignisse.`),
    none: "Es ist noch nichts geschehen.",
    newBadge: "Neu",
    newShown: (name) => `Neu: ${name}`,
    actor: (name) => `Von der Verwaltung: ${name}`,
    detail: (text) => `Einzelheit: ${text}`,
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
      IDENTITY_LINKED: "Konto bei einem Anbieter verbunden",
      IDENTITY_UNLINKED: "Konto bei einem Anbieter getrennt",
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
      USERNAME_CHANGED: "Benutzername geändert",
      EXPORTED: "Daten des Kontos exportiert",
      DISABLED: "Konto gesperrt und alle Sitzungen beendet",
      ENABLED: "Konto entsperrt",
      PASSWORD_RESET_REQUIRED: "Neues Passwort von der Verwaltung verlangt und alle Sitzungen beendet",
      ROLE_GRANTED: "Rolle vergeben",
      ROLE_REVOKED: "Rolle entzogen",
      IMPERSONATED: "Die Verwaltung hat sich an Ihrer Stelle angemeldet",
      IMPERSONATION_STARTED: "Sie haben sich an Stelle von jemand anderem angemeldet",
      INVITATION_SENT: "Sie haben jemanden eingeladen",
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
    wrongName: "Das ist nicht Ihr Benutzername.",
    submit: "Mein Konto löschen",
  },

  acting: {
    banner: (name) => `Sie handeln als ${name}. Sie können das Konto nicht ändern.`,
    end: "Beenden",
    ended: "Sie handeln nicht mehr an Stelle eines anderen Kontos.",
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
    notConfigured: "Dieser Server ist dafür nicht eingerichtet. Bitten Sie den Betreiber um Hilfe.",
    emailNotVerified: "Bestätigen Sie zuerst Ihre E-Mail.",
    registrationClosed: "Dieser Server legt ohne Einladung keine Konten an.",
    captchaRequired:
      "Dieser Server verlangt ein Captcha, das diese Seite nicht zeigen kann. Verwenden Sie die Anwendung.",
    proofNeeded: "Bestätigen Sie, dass Sie es sind, und versuchen Sie es noch einmal.",
    accountDisabled: "Dieses Konto ist gesperrt. Bitten Sie den Betreiber dieses Servers um Hilfe.",
    passwordResetRequired:
      "Dieses Passwort gilt nicht mehr. Wählen Sie über einen Link in einer Mail ein neues.",
    requestReset: "Link anfordern",
  },
  server: {
    "A username must have 3 to 32 characters.": "Ein Benutzername muss 3 bis 32 Zeichen haben.",
    "A username may contain the letters a to z, digits, and single dots, hyphens or underscores between them.":
      "Ein Benutzername darf die Buchstaben a bis z, Ziffern und dazwischen einzelne Punkte, Binde- oder Unterstriche haben.",
    "This username, or one that looks the same, is already taken.":
      "Dieser Benutzername, oder einer, der gleich aussieht, ist schon vergeben.",
    "Enter a valid email address.": "Geben Sie eine gültige E-Mail-Adresse ein.",
    "This server accepts no emails of this domain. Use another email.":
      "Dieser Server nimmt keine E-Mails dieser Domain an. Verwenden Sie eine andere.",
    "This account of the provider is linked to another user.":
      "Dieses Konto des Anbieters ist mit jemand anderem verbunden.",
    "The provider says no email of yours. Allow it to, or sign up with an email.":
      "Der Anbieter teilt keine E-Mail von Ihnen mit. Erlauben Sie es ihm, oder registrieren Sie sich mit einer E-Mail.",
    "An account can have 20 accounts of providers.":
      "Ein Konto kann 20 Konten bei Anbietern haben.",
    "Choose another password: this one must not be used any more.":
      "Wählen Sie ein anderes Passwort: Dieses darf nicht mehr benutzt werden.",
    "The email of this account is not verified. Its owner must verify it first.":
      "Die E-Mail dieses Kontos ist nicht bestätigt. Wem es gehört, muss sie zuerst bestätigen.",
    "This invitation is for another email.": "Diese Einladung ist für eine andere E-Mail.",
    "This is your email already.": "Das ist schon Ihre E-Mail.",
    "An account with this email already exists.": "Mit dieser E-Mail gibt es schon ein Konto.",
    "A password must have 8 to 128 characters.": "Ein Passwort muss 8 bis 128 Zeichen haben.",
    "A password must not contain NUL characters or lone surrogates.":
      "Ein Passwort darf keine unlesbaren Zeichen enthalten.",
    "This password is too common. Choose another one.":
      "Dieses Passwort ist zu verbreitet. Wählen Sie ein anderes.",
    "This password is known from a data breach of another service. Choose another one.":
      "Dieses Passwort ist aus einem Datenleck eines anderen Dienstes bekannt. Wählen Sie ein anderes.",
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
    "You could not sign in any more. Set a password or add another way to sign in first.":
      "Sie könnten sich nicht mehr anmelden. Legen Sie zuerst ein Passwort fest oder fügen Sie eine andere Anmeldung hinzu.",
    "A name must have 1 to 100 characters on one line and must not be blank.":
      "Ein Name muss 1 bis 100 Zeichen in einer Zeile haben und darf nicht leer sein.",
    "An account may have 20 passkeys. Remove one first.":
      "Ein Konto kann 20 Passkeys haben. Entfernen Sie zuerst einen.",
    "An image file must be a file name or an http or https URL.":
      "Das Bild muss ein Dateiname oder eine http- oder https-Adresse sein.",
    "The picture cannot be read. Send a complete JPEG, PNG or WebP file.":
      "Das Bild ist nicht lesbar. Wählen Sie eine vollständige Datei in JPEG, PNG oder WebP.",
    "The request took too long to send.":
      "Das Senden hat zu lange gedauert. Versuchen Sie es mit einer besseren Verbindung.",
    "A reason must have 1 to 180 characters on one line and must not be blank.":
      "Ein Grund muss 1 bis 200 Zeichen in einer Zeile haben und darf nicht leer sein.",
    "This account is disabled.": "Dieses Konto ist gesperrt.",
    "This account is disabled. Enable it first.":
      "Dieses Konto ist gesperrt. Entsperren Sie es zuerst.",
    "This account has no password.": "Dieses Konto hat kein Passwort.",
    "Your roles do not permit this.": "Ihre Rollen erlauben das nicht.",
    "Your roles do not permit this for an account that has a role.":
      "Ihre Rollen erlauben das nicht bei einem Konto, das eine Rolle hat.",
    "An account that has a role cannot be impersonated.":
      "An Stelle eines Kontos mit einer Rolle kann niemand handeln.",
    "An impersonated session cannot change the account.":
      "Wer an Stelle eines anderen Kontos handelt, kann es nicht ändern.",
    "This is the last administrator. Grant the role to another user first.":
      "Das ist das letzte Konto der Administration. Vergeben Sie die Rolle zuerst an ein anderes.",
  },
};
