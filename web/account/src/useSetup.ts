import { useEffect, useState } from "react";
import { READ_SETUP } from "./operations";
import { session, useSession } from "./session";
import { settings } from "./settings";

/**
 * Whether the user can do nothing before a second factor is set up. Undefined until the server has
 * said so. A server that requires none is not asked.
 */
export function useSetupRequired(): boolean | undefined {
  const { status, accessToken } = useSession();
  const isAsked = settings.requiresSecondFactor && status === "signedIn";
  const [answer, setAnswer] = useState<{ accessToken: string | undefined; isRequired: boolean }>();

  useEffect(() => {
    if (!isAsked) return;
    const ask = session.request<{ me: { needsSecondFactor: boolean } }>(READ_SETUP);
    void ask
      .then(({ me }) => me.needsSecondFactor)
      // The page that follows says what is wrong.
      .catch(() => false)
      .then((isRequired) => setAnswer({ accessToken, isRequired }));
  }, [isAsked, accessToken]);

  if (!isAsked) return false;
  return answer?.accessToken === accessToken ? answer?.isRequired : undefined;
}
