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
}

const meta = document.querySelector<HTMLMetaElement>('meta[name="account-pages"]');

export const settings = JSON.parse(meta?.content ?? "") as Settings;
