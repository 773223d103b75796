import type { AdminTexts } from "./en";

export const de: AdminTexts = {
  roles: { ADMIN: "Administration", SUPPORT: "Support" },
  disabled: "Gesperrt",
  enabled: "Nicht gesperrt",
  lastSeen: "Zuletzt gesehen",
  never: "Länger nicht gesehen",

  search: {
    intro: "Finden Sie Konten über den Anfang eines Benutzernamens oder einer E-Mail, oder über eine ID.",
    text: "Benutzername, E-Mail oder ID",
    role: "Rolle",
    state: "Zustand",
    any: "Alle",
    submit: "Suchen",
    none: "Es wurde kein Konto gefunden.",
    found: (count) => (count === 1 ? "Ein Konto wird angezeigt." : `${count} Konten werden angezeigt.`),
    moreShown: (count) => (count === 1 ? "Ein weiteres Konto." : `${count} weitere Konten.`),
  },

  invite: {
    title: "Jemanden einladen",
    intro: "Wer eingeladen ist, bekommt eine E-Mail mit einem Link, um ein Konto mit dieser E-Mail anzulegen. Er gilt einmal, sieben Tage lang.",
    email: "E-Mail",
    submit: "Einladung senden",
    sent: (email) => `${email} ist eingeladen.`,
  },

  account: {
    back: "Zurück zu den Konten",
    none: "Dieses Konto gibt es nicht. Vielleicht wurde es gelöscht.",
    facts: "Konto",
    id: "ID",
    verified: "bestätigt",
    notVerified: "nicht bestätigt",
    since: "Erstellt",
    roles: "Rollen",
    noRoles: "Keine",
    state: "Zustand",
    resetRequired: "Ein neues Passwort ist verlangt",
    disabledBecause: (reason) => `Grund: ${reason}`,
    factors: "Zweite Faktoren und Passkeys",
    noFactors: "Keine.",
    app: "Authenticator-App",
    codesLeft: (count) =>
      count === 1
        ? "Ein Wiederherstellungscode ist übrig."
        : `${count} Wiederherstellungscodes sind übrig.`,
    added: "Hinzugefügt",
    identities: "Verbundene Konten",
    noIdentities: "Keine.",
    sessions: "Sitzungen",
    noSessions: "Keine ist aktiv.",
    impersonated: (name) => `Die Verwaltung handelt an Stelle dieses Kontos${name ? `: ${name}` : ""}`,
    events: "Sicherheitsereignisse",
  },

  acts: {
    title: "Was Sie tun können",
    isStaff: "Ihre Rollen erlauben keine Änderungen an einem Konto, das eine Rolle hat.",
    none: "Ihre Rollen erlauben keine Änderungen an diesem Konto.",
    reason: "Grund",
    reasonHint: "In einer Zeile. Er wird aufbewahrt und kann im Konto gelesen werden.",
    role: "Rolle",
    checkEmail: "Ich weiß, dass Mails an diese E-Mail im Konto gelesen werden",
    wrongName: "Das ist nicht der Benutzername.",
    unchanged: "Es gibt nichts zu berichtigen.",

    disable: {
      label: "Konto sperren",
      about:
        "Niemand kann sich mehr damit anmelden, und alle Sitzungen enden sofort. Eine Mail teilt es mit.",
      done: "Das Konto ist gesperrt.",
    },
    enable: {
      label: "Konto entsperren",
      about: "Die Anmeldung ist wieder möglich. Eine Mail teilt es mit.",
      done: "Das Konto ist entsperrt.",
    },
    requireReset: {
      label: "Neues Passwort verlangen",
      about:
        "Das Passwort gilt nicht mehr, alle Sitzungen enden, und eine Mail mit einem Link, um ein neues zu wählen, wird gesendet.",
      done: "Ein neues Passwort ist verlangt.",
    },
    removeFactors: {
      label: "Zweite Faktoren entfernen",
      about:
        "Die Authenticator-App, die Wiederherstellungscodes und alle Passkeys werden entfernt, und alle Sitzungen enden. Vergewissern Sie sich vorher, dass wirklich die Person darum bittet, der das Konto gehört.",
      done: "Die zweiten Faktoren sind entfernt.",
    },
    endSessions: {
      label: "Alle Sitzungen beenden",
      about: "Das Konto ist dann überall abgemeldet. Eine neue Anmeldung ist möglich.",
      done: "Die Sitzungen sind beendet.",
    },
    grant: {
      label: "Rolle vergeben",
      about: "Die Rolle erlaubt ab der nächsten Anfrage, an Konten anderer zu handeln.",
      done: "Die Rolle ist vergeben.",
    },
    revoke: {
      label: "Rolle entziehen",
      about: "Die Rolle erlaubt ab der nächsten Anfrage nichts mehr.",
      done: "Die Rolle ist entzogen.",
    },
    impersonate: {
      label: "An Stelle dieses Kontos handeln",
      about:
        "Dieser Tab zeigt die Seiten so, wie sie im Konto zu sehen sind, höchstens dreißig Minuten lang oder bis er neu geladen wird. Sie können das Konto nicht ändern. Es wird aufgezeichnet, und eine Mail teilt es mit.",
      done: "",
    },
    correct: {
      label: "Benutzername oder E-Mail berichtigen",
      about: "Eine Mail teilt es mit, bei einer neuen E-Mail an beide Adressen.",
      done: "Das Konto ist berichtigt.",
    },
    export: {
      label: "Daten exportieren",
      about:
        "Sie laden alles, was über das Konto gespeichert ist, ohne Geheimnisse als JSON-Datei herunter. Es wird aufgezeichnet.",
      done: "Die Daten sind exportiert.",
    },
    delete: {
      label: "Konto löschen",
      about:
        "Das Konto wird mit allem, was dazugehört, sofort und endgültig gelöscht. Seine Sicherheitsereignisse bleiben noch einige Zeit.",
      done: "Das Konto ist gelöscht.",
    },
    erase: {
      label: "Konto löschen und Daten tilgen",
      about:
        "Das Konto wird mit allem, was dazugehört, sofort und endgültig gelöscht. Auch aus seinen Sicherheitsereignissen werden Geräte, Adressen und Einzelheiten entfernt.",
      done: "Das Konto ist gelöscht, und seine Daten sind getilgt.",
    },
  },

  kinds: {
    IMPERSONATED: "Die Verwaltung hat sich an Stelle dieses Kontos angemeldet",
    IMPERSONATION_STARTED: "An Stelle eines anderen Kontos angemeldet",
  },
};
