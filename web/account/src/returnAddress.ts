const MAX_LENGTH = 2048;

// A backslash is a slash to browsers, and they remove line breaks and tabs.
const PLAIN = /^[!-[\]-~]+$/;

// Encoded slashes, backslashes, controls and dots: a proxy may decode them before it looks.
const ENCODED_TRICK = /%(?:2f|5c|2e|25|[01][0-9a-f]|7f)/i;

/**
 * Return the address that a sign-in may return to, or undefined if it may not.
 *
 * It is an absolute path of this origin, or an address that begins with this origin or one of the
 * allowed origins, exactly as browsers write an origin.
 */
export function returnAddress(
  text: string | null,
  self: string,
  allowed: readonly string[],
): URL | undefined {
  if (!text || text.length > MAX_LENGTH || !PLAIN.test(text)) return undefined;
  const isPath = text.startsWith("/") && !text.startsWith("//");
  const origin = isPath ? self : [self, ...allowed].find((origin) => begins(text, origin));
  // Other schemes than these two can run scripts, or have no origin that can be compared.
  if (!origin || !/^https?:\/\//.test(origin)) return undefined;
  const address = new URL(isPath ? self + text : text);
  if (address.origin !== origin || address.username || address.password) return undefined;
  return ENCODED_TRICK.test(pathOf(text)) ? undefined : address;
}

/** Return whether an address has this origin: what follows it must end the origin. */
function begins(text: string, origin: string): boolean {
  return text === origin || (text.startsWith(origin) && "/?#".includes(text.charAt(origin.length)));
}

function pathOf(text: string): string {
  return text.split(/[?#]/, 1)[0] ?? "";
}
