import type { Texts } from "./texts/en";

/** An error of the page itself. It chooses its text when it is shown, so that it follows the language. */
export class PageError extends Error {
  constructor(
    readonly text: (texts: Texts) => string,
    readonly field?: string,
  ) {
    super();
  }
}
