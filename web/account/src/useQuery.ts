import { useCallback, useEffect, useState } from "react";
import { session } from "./session";

export interface Query<T> {
  data?: T;
  error?: unknown;
  load: () => Promise<void>;
  setData: (data: T) => void;
}

/** Read something when a page is shown. `load` reads it again and keeps the old data until then. */
export function useQuery<T>(document: string): Query<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown }>({});
  const load = useCallback(async () => {
    try {
      setState({ data: await session.request<T>(document) });
    } catch (error) {
      setState({ error });
    }
  }, [document]);
  useEffect(() => void load(), [load]);
  return { ...state, load, setData: (data) => setState({ data }) };
}
