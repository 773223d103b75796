import { useCallback, useEffect, useState } from "react";
import { session } from "./session";

export interface Query<T> {
  data?: T;
  error?: unknown;
  load: () => Promise<void>;
  setData: (data: T) => void;
}

/** Read something when a page is shown. `load` reads it again and keeps the old data until then. */
export function useQuery<T>(document: string, variables?: Record<string, string>): Query<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown }>({});
  // Compared by its text: callers make the object anew.
  const given = JSON.stringify(variables ?? {});
  const load = useCallback(async () => {
    try {
      setState({ data: await session.request<T>(document, JSON.parse(given)) });
    } catch (error) {
      setState({ error });
    }
  }, [document, given]);
  useEffect(() => void load(), [load]);
  return { ...state, load, setData: (data) => setState({ data }) };
}
