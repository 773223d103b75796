import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from "react";
import { type Access, READ_ACCESS } from "./operations";
import { session, useSession } from "./session";

const NONE: Access = { permissions: [], impersonatedBy: null };

const Context = createContext({ access: NONE, reload: async () => {} });

/** What the user may do to accounts of others: nothing until the server has said so. */
export function useAccess(): Access {
  return useContext(Context).access;
}

/** Return a function that reads it again, for users who change their own roles. */
export function useReloadAccess(): () => Promise<void> {
  return useContext(Context).reload;
}

/** Reads it again with each new access token. */
export function AccessProvider({ children }: { children: ReactNode }) {
  const { accessToken, user } = useSession();
  const [known, setKnown] = useState<{ userId: string; access: Access }>();
  const userId = user?.id;

  const reload = useCallback(async () => {
    if (!accessToken || !userId) return;
    try {
      const { me } = await session.request<{ me: Access }>(READ_ACCESS);
      setKnown({ userId, access: me });
    } catch {
      // The page says what is wrong.
    }
  }, [accessToken, userId]);
  useEffect(() => void reload(), [reload]);

  const access = known && known.userId === userId ? known.access : NONE;
  return <Context value={{ access, reload }}>{children}</Context>;
}
