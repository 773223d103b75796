import { useSession } from "./session";

/** Tells password managers whose password a form is about. Users neither see nor reach it. */
export function UsernameForManagers() {
  const { user } = useSession();
  return <input type="text" autoComplete="username" value={user?.username ?? ""} readOnly hidden />;
}
