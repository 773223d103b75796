import { useEffect, useRef, useState, type Key, type ReactNode, type Ref } from "react";
import { Failure } from "./Failure";
import { Loading } from "./Frame";
import { useTexts } from "./texts/language";

/** A page of a connection of the graph. */
export interface Connection<T> {
  edges: { node: T }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/**
 * A list that is read page by page. Give it another `key` to read another one. Rows take the focus,
 * so they need a `tabIndex`.
 */
export function PagedList<T extends { id: Key }>(props: {
  read: (after: string | null) => Promise<Connection<T>>;
  row: (entry: T, ref: Ref<HTMLLIElement>) => ReactNode;
  none: string;
  moreShown: (count: number) => string;
}) {
  const texts = useTexts();
  const { pages, error, more, hasMore } = usePages(props.read);
  const entries = pages.flat();
  const firstOfPage = entries.length - (pages.at(-1)?.length ?? 0);
  const firstNew = useRef<HTMLLIElement>(null);

  // Continue to read where the new entries begin.
  useEffect(() => {
    if (pages.length > 1) firstNew.current?.focus();
  }, [pages.length]);

  if (pages.length === 0 && error === undefined) return <Loading />;
  return (
    <>
      {entries.length > 0 && (
        <ol className="rows card">
          {entries.map((entry, at) => props.row(entry, at === firstOfPage ? firstNew : null))}
        </ol>
      )}
      {pages.length > 0 && entries.length === 0 && <p className="hint">{props.none}</p>}
      <div role="status" className="hidden">
        {pages.length > 1 && props.moreShown(pages.at(-1)?.length ?? 0)}
      </div>
      <Failure error={error} retry={more} />
      {hasMore && error === undefined && (
        <button type="button" onClick={() => void more()}>
          {texts.events.more}
        </button>
      )}
    </>
  );
}

function usePages<T>(read: (after: string | null) => Promise<Connection<T>>) {
  const [pages, setPages] = useState<T[][]>([]);
  const [error, setError] = useState<unknown>();
  const [position, setPosition] = useState<Connection<T>["pageInfo"]>();
  const isLoading = useRef(false);

  async function more() {
    if (isLoading.current) return;
    isLoading.current = true;
    try {
      const { edges, pageInfo } = await read(position?.endCursor ?? null);
      setPages((pages) => [...pages, edges.map(({ node }) => node)]);
      setPosition(pageInfo);
      setError(undefined);
    } catch (error) {
      setError(error);
    }
    isLoading.current = false;
  }

  // Once: another list has another key.
  useEffect(() => void more(), []);

  return { pages, error, more, hasMore: position?.hasNextPage ?? false };
}
