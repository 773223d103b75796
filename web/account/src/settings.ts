/** What the server fills into the document. */
export interface Settings {
  name: string;
  color: string;
  /** The address of the logo beside the pages, or null. */
  logo: string | null;
  /** The origins of other applications that a sign-in may return to. */
  returnOrigins: string[];
  /** Whether the server sends mail. */
  sendsMail: boolean;
  /** Whether an account is created only after its email is proven. */
  requiresVerifiedEmail: boolean;
  /** Who can create an account: everyone, those with an invitation, or no one. */
  registration: "open" | "invite" | "closed";
  /** Whether the server can store the seeds of authenticator apps. */
  authenticatorApps: boolean;
  /** Whether an account without a second factor can only set one up. */
  requiresSecondFactor: boolean;
  /** The domain that passkeys belong to, or null if the server has none. */
  passkeys: string | null;
  /** The identity providers that users can sign in with, in the order of their buttons. */
  providers: { name: string; label: string }[];
  /** The origin of uploaded pictures, or null if there are none. */
  pictures: string | null;
  /** Whether users can set an address of an image that is stored elsewhere. */
  imageUrls: boolean;
}

const meta = document.querySelector<HTMLMetaElement>('meta[name="account-pages"]');

export const settings = JSON.parse(meta?.content ?? "") as Settings;
