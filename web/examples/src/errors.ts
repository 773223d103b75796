/** The errors of the API, and what a frontend does about each. */

import type { ErrorCode } from "./gql/enums";

export class ApiError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }

  static of(
    error: { message: string; extensions?: Record<string, unknown> } | undefined,
  ): ApiError {
    const code = (error?.extensions?.code ?? "INTERNAL_ERROR") as ErrorCode;
    return new ApiError(code, error?.message ?? "");
  }
}

export type Reaction =
  | "refresh"
  | "sign in"
  | "reset the password"
  | "ask for a second factor"
  | "set up a second factor"
  | "ask for a proof"
  | "correct the input"
  | "wait"
  | "report";

/** Return what to do about an error. Does not compile if a code of the schema is missing. */
export function reactionTo(code: ErrorCode): Reaction {
  switch (code) {
    case "TOKEN_EXPIRED":
      return "refresh";
    case "UNAUTHENTICATED":
      return "sign in";
    case "SECOND_FACTOR_REQUIRED":
      return "ask for a second factor";
    case "SECOND_FACTOR_SETUP_REQUIRED":
      return "set up a second factor";
    case "REAUTHENTICATION_REQUIRED":
      return "ask for a proof";
    case "PASSWORD_RESET_REQUIRED":
      return "reset the password";
    case "REGISTRATION_CLOSED":
    case "CAPTCHA_REQUIRED":
    case "INVALID_CREDENTIALS":
    case "INVALID_INPUT":
    case "INVALID_CODE":
    case "USERNAME_TAKEN":
    case "EMAIL_TAKEN":
    case "NOT_FOUND":
    case "FORBIDDEN":
    case "QUOTA_EXCEEDED":
      return "correct the input";
    case "TOO_MANY_ATTEMPTS":
    case "OVERLOADED":
    case "UNAVAILABLE":
      return "wait";
    case "QUERY_TOO_COSTLY":
    case "GRAPHQL_PARSE_FAILED":
    case "GRAPHQL_VALIDATION_FAILED":
    case "PERSISTED_QUERY_NOT_SUPPORTED":
    case "PERSISTED_QUERY_NOT_FOUND":
    case "DOCUMENT_NOT_TRUSTED":
    case "MAIL_NOT_CONFIGURED":
    case "NOT_CONFIGURED":
    case "EMAIL_NOT_VERIFIED":
    case "ACCOUNT_DISABLED":
    case "INTERNAL_ERROR":
      return "report";
    default:
      return code satisfies never;
  }
}
