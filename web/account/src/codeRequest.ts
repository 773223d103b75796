import { useEffect, useState } from "react";
import type { MailRequest } from "./operations";
import { navigate } from "./router";
import { useSecret } from "./secrets";

/**
 * A request for a code by mail, to sign in or to finish a registration. All tabs of this browser
 * have it, since the link of the mail opens another one. Without the code, the ticket is worth
 * nothing.
 */
export interface CodeRequest {
  ticket: string;
  email: string;
  /** In milliseconds since 1970. */
  expiresAt: number;
  /** The query of the page, with the address to return to. The link of the mail does not have it. */
  search: string;
  /** Whether a passkey takes the place of the password, for a registration. */
  usesPasskey?: boolean;
}

/** What is requested, each with the page that the link of its mail leads to. */
const PAGES = { "sign-in-request": "login-by-code", registration: "sign-up" };

type Purpose = keyof typeof PAGES;

/** The request of this browser that waits for its code, and the code of the link that led here. */
export function useCodeRequest(purpose: Purpose) {
  const code = useSecret("code");
  const [request, setRequest] = useState(() => saved(purpose));

  useEffect(() => {
    if (code && request?.search && !location.search) {
      navigate(`${PAGES[purpose]}${request.search}`, { replace: true });
    }
  }, [code, request, purpose]);

  /** Keep a request for all tabs, or forget the one that is kept. */
  function keep(next: CodeRequest | undefined) {
    save(purpose, next);
    setRequest(next);
  }

  return { code, request, keep };
}

/** Return the request that this page has just made. */
export function codeRequest({ ticket, expiresIn }: MailRequest, email: string): CodeRequest {
  const expiresAt = Date.now() + expiresIn * 1000;
  return { ticket, email: email.trim(), expiresAt, search: location.search };
}

function saved(purpose: Purpose): CodeRequest | undefined {
  try {
    const text = localStorage.getItem(`account:${purpose}`);
    const request = text ? (JSON.parse(text) as CodeRequest) : undefined;
    return request && request.expiresAt > Date.now() ? request : undefined;
  } catch {
    return undefined;
  }
}

function save(purpose: Purpose, request: CodeRequest | undefined): void {
  const key = `account:${purpose}`;
  try {
    if (request) localStorage.setItem(key, JSON.stringify(request));
    else localStorage.removeItem(key);
  } catch {
    // The browser blocks it: the code works in this tab, until it is loaded again.
  }
}
