/** Errors as users read them. */

import { GatehouseError } from "@gatehouse/client";
import { PageError } from "./PageError";
import type { Texts } from "./texts/en";

export interface Explanation {
  message: string;
  /** Messages by the name of the field. */
  fields: Record<string, string>;
  /** Whether a link to reset the password helps. */
  needsReset?: boolean;
}

/** Explain an error. `invalidCode` is what INVALID_CODE means, if it is not about a mail. */
export function explain(
  error: unknown,
  texts: Texts,
  locale: string,
  invalidCode?: string,
): Explanation {
  if (error instanceof PageError) {
    const message = error.text(texts);
    return { message, fields: error.field ? { [error.field]: message } : {} };
  }
  if (!(error instanceof GatehouseError)) return { message: texts.errors.unexpected, fields: {} };
  if (error.code === "INVALID_CODE" && invalidCode) {
    return { message: invalidCode, fields: { code: invalidCode } };
  }
  // It may be about the link that led to the page, which is in no field.
  if (error.code === "INVALID_CODE") {
    const { invalidCode, invalidLink } = texts.errors;
    return { message: error.fields.code ? invalidCode : invalidLink, fields: {} };
  }
  if (error.code === "EMAIL_TAKEN" && !error.fields.email) {
    const { emailTaken, formerEmailTaken } = texts.errors;
    return { message: error.fields.token ? formerEmailTaken : emailTaken, fields: {} };
  }
  const fields = Object.fromEntries(
    Object.entries(error.fields).map(([name, text]) => [name, texts.server[text] ?? text]),
  );
  const needsReset = error.code === "PASSWORD_RESET_REQUIRED";
  return { message: messageOf(error, texts, locale), fields, needsReset };
}

function messageOf(error: GatehouseError, texts: Texts, locale: string): string {
  const { retryAfter, requestId } = error.extensions;
  switch (error.code) {
    case "TOO_MANY_ATTEMPTS":
      return texts.errors.tooManyAttempts(duration(Number(retryAfter), locale));
    case "INVALID_CREDENTIALS":
      return texts.errors.wrongLogin;
    case "MAIL_NOT_CONFIGURED":
      return texts.errors.noMail;
    case "NOT_FOUND":
      return texts.errors.notFound;
    case "NOT_CONFIGURED":
      return texts.errors.notConfigured;
    case "REGISTRATION_CLOSED":
      return texts.errors.registrationClosed;
    case "CAPTCHA_REQUIRED":
      return texts.errors.captchaRequired;
    case "EMAIL_NOT_VERIFIED":
      return texts.errors.emailNotVerified;
    case "REAUTHENTICATION_REQUIRED":
      return texts.errors.proofNeeded;
    case "SECOND_FACTOR_SETUP_REQUIRED":
      return texts.secondFactor.setUpFirst;
    case "ACCOUNT_DISABLED":
      return texts.errors.accountDisabled;
    case "PASSWORD_RESET_REQUIRED":
      return texts.errors.passwordResetRequired;
    case "FORBIDDEN":
    case "QUOTA_EXCEEDED":
      return texts.server[error.message] ?? error.message;
    case "OVERLOADED":
      return texts.errors.overloaded;
    case "UNAVAILABLE":
      // The server names no cause: the browser does, when it does not reach the server.
      return error.cause ? texts.errors.network : texts.errors.unavailable;
    case "UNAUTHENTICATED":
    case "TOKEN_EXPIRED":
      return texts.notices.ended;
    case "INVALID_INPUT":
      // Without fields it is about the request as a whole: a hook of the operator refuses it, or the
      // settings do not list its origin.
      return texts.server[error.message] ?? error.message;
    default:
      return requestId
        ? `${texts.errors.unexpected} ${texts.errors.reference(String(requestId))}`
        : texts.errors.unexpected;
  }
}

/** Return a number of seconds in words, such as "9 seconds" or "2 minutes". */
function duration(seconds: number, locale: string): string {
  const [count, unit] =
    seconds < 120
      ? [seconds, "second"]
      : seconds < 7200
        ? [Math.ceil(seconds / 60), "minute"]
        : [Math.ceil(seconds / 3600), "hour"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count);
}
