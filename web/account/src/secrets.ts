/** Secrets in the fragment of the address, where links of mails have them. */

import { useEffect, useState } from "react";
import { useAddress } from "./router";

/**
 * Return a secret, or undefined. It is taken out of the address, so that neither the history nor a
 * copied address has it. Nothing is sent: programs that check mail open links, too.
 */
export function useSecret(name: string): string | undefined {
  const { hash } = useAddress();
  const found = new URLSearchParams(hash.slice(1)).get(name) ?? undefined;
  const [secret, setSecret] = useState(found);

  useEffect(() => {
    if (!found) return;
    setSecret(found);
    history.replaceState(null, "", location.pathname + location.search);
  }, [found]);

  return found ?? secret;
}
