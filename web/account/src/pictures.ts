/** The file that a user chooses as picture, and the routes that store and remove it. */

import { GatehouseError } from "@gatehouse/client";
import { MAX_ZOOM, tooLarge } from "./crop";
import { PageError } from "./PageError";
import { session } from "./session";
import type { Texts } from "./texts/en";

export const TYPES = "image/jpeg,image/png,image/webp";

/** Photos have a fifth of it, and a decoder of more may take all memory of a phone. */
const MAX_BYTES = 64 * 1024 * 1024;

/** At the highest zoom, the largest picture of the server is left: 512 pixels. */
const MAX_SHORT_SIDE = 512 * MAX_ZOOM;

const CODES: Record<number, string> = {
  400: "INVALID_INPUT",
  401: "UNAUTHENTICATED",
  403: "FORBIDDEN",
  404: "NOT_CONFIGURED",
  429: "TOO_MANY_ATTEMPTS",
};

const MESSAGES: Record<number, (texts: Texts) => string> = {
  413: ({ picture }) => picture.tooManyBytes,
  415: ({ picture }) => picture.wrongType,
  503: ({ picture }) => picture.unavailable,
};

/** Decode a file, turned as its EXIF says, and not larger than it is of use. */
export async function open(file: File): Promise<ImageBitmap> {
  if (file.size > MAX_BYTES) throw tooLarge();
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
    throw new PageError(({ picture }) => picture.unreadable);
  });
  const scale = MAX_SHORT_SIDE / Math.min(picture.width, picture.height);
  if (scale >= 1) return picture;
  const smaller = await createImageBitmap(picture, {
    resizeWidth: Math.round(picture.width * scale),
    resizeHeight: Math.round(picture.height * scale),
    resizeQuality: "high",
  }).catch(() => {
    throw tooLarge();
  });
  picture.close();
  return smaller;
}

/** Store a file as the picture of the user, and return its address. */
export async function upload(file: Blob): Promise<string> {
  const headers = { "Content-Type": file.type };
  const response = await send({ method: "PUT", headers, body: file });
  const { picture } = (await response.json()) as { picture: string };
  return picture;
}

/** Remove the picture of the user. */
export async function remove(): Promise<void> {
  await send({ method: "DELETE" });
}

async function send(init: RequestInit): Promise<Response> {
  const address = new URL("me/picture", session.url);
  const response = await session.fetch(address, init).catch((cause: unknown) => {
    throw new GatehouseError("", { code: "UNAVAILABLE" }, { cause });
  });
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function errorOf(response: Response): Promise<Error> {
  const message = MESSAGES[response.status];
  if (message) return new PageError(message);
  // What a proxy returns has no description.
  const answer = (await response.json().catch(() => ({}))) as { error_description?: string };
  const code = CODES[response.status] ?? "INTERNAL_ERROR";
  return new GatehouseError(answer.error_description ?? "", {
    code,
    retryAfter: response.headers.get("Retry-After") ?? 60,
    requestId: response.headers.get("X-Request-ID"),
  });
}
