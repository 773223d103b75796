/** A document, and not a stream of several (`application/jsonl`, `multipart/mixed`). */
const JSON_DOCUMENT = /^application\/(graphql-response\+)?json\s*(;|$)/i;
/** How much of a response is read before it is handed on. An error comes with little data. */
const MAX_LENGTH = 2 ** 20;

/** What a mutation that returns a `Token` selects of it. */
export const TOKEN = "accessToken refreshToken expiresIn user { id username }";

/** The first error of a response. Without a response, its code is `UNAVAILABLE`. */
export class GatehouseError extends Error {
  override readonly name = "GatehouseError";
  /** A member of the schema's enum `ErrorCode`. */
  readonly code: string;
  /** Messages by the name of the argument at fault. */
  readonly fields: Record<string, string>;
  readonly extensions: Record<string, unknown>;

  constructor(message: string, extensions: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.extensions = extensions;
    this.code = String(extensions.code ?? "INTERNAL_ERROR");
    const fields = Object.entries((extensions.fields ?? {}) as Record<string, string[]>);
    this.fields = Object.fromEntries(fields.map(([name, messages]) => [name, messages.join(" ")]));
  }
}

interface Answer {
  data?: unknown;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

export function operation(query: string, variables: Record<string, unknown> = {}): RequestInit {
  return {
    method: "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  };
}

/** Return the data of a response, or throw its first error. */
export async function dataOf<T>(sent: Response | Promise<Response>): Promise<T> {
  const response = await Promise.resolve(sent).catch((cause: unknown) => {
    throw new GatehouseError("The server cannot be reached.", { code: "UNAVAILABLE" }, { cause });
  });
  const answer = (await response.json().catch(() => null)) as Answer | null;
  const error = answer?.errors?.[0];
  if (error) throw new GatehouseError(error.message, error.extensions);
  if (answer?.data) return answer.data as T;
  const message = `The server returned status ${response.status} without a GraphQL response.`;
  throw new GatehouseError(message, { code: "UNAVAILABLE" });
}

/** Return whether a response rejects the access token of its request, without reading its body. */
export async function rejectsToken(response: Response): Promise<boolean> {
  if (response.status === 401) return true;
  if (!JSON_DOCUMENT.test(response.headers.get("Content-Type") ?? "")) return false;
  const text = await shortText(response.clone()).catch(() => "");
  if (!/TOKEN_EXPIRED|UNAUTHENTICATED/.test(text)) return false;
  try {
    const { errors } = JSON.parse(text) as Answer;
    // An error with `fields` is about an argument.
    return !!errors?.some(
      ({ extensions = {} }) =>
        !extensions.fields && /^(TOKEN_EXPIRED|UNAUTHENTICATED)$/.test(String(extensions.code)),
    );
  } catch {
    return false;
  }
}

/** Return the text of a response, or nothing if it is long. */
async function shortText({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (reader && text.length <= MAX_LENGTH) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  void reader?.cancel();
  return "";
}
