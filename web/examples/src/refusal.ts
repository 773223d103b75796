/** A refusal of the API, and what a frontend does about it. */

import type { ErrorCode } from "./gql/enums";

export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }

  static of(error: { message: string; extensions?: Record<string, unknown> } | undefined): Refusal {
    return new Refusal((error?.extensions?.code ?? "INTERNAL_ERROR") as ErrorCode, error?.message ?? "");
  }
}

/** The compiler holds this switch to the schema: a code that is not here does not compile. */
export function whatToDo(code: ErrorCode): "refresh" | "log in" | "mend the input" | "wait" | "report" {
  switch (code) {
    case "TOKEN_EXPIRED":
      return "refresh";
    case "UNAUTHENTICATED":
      return "log in";
    case "INVALID_CREDENTIALS":
    case "INVALID_INPUT":
    case "USERNAME_TAKEN":
    case "EMAIL_TAKEN":
    case "NOT_FOUND":
    case "FORBIDDEN":
      return "mend the input";
    case "TOO_MANY_ATTEMPTS":
    case "OVERLOADED":
    case "UNAVAILABLE":
      return "wait";
    case "QUERY_TOO_COSTLY":
    case "GRAPHQL_PARSE_FAILED":
    case "GRAPHQL_VALIDATION_FAILED":
    case "INTERNAL_ERROR":
      return "report";
    default:
      return code satisfies never;
  }
}
