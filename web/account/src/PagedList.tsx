import { useEffect, useRef, useState, type Key, type ReactNode, type Ref } from "react";
import { Failure } from "./Failure";
import { Loading } from "./Frame";
import { useTexts } from "./texts/language";

/** A page of a connection of the graph. */
export interface Connection<T> {
  edges: { node: T }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** What is told of new entries. */
export interface Follower<T> {
  next: (entry: T) => void;
  /** Some may have been missed before. */
  connected: () => void;
}

interface Source<T> {
  read: (after: string | null) => Promise<Connection<T>>;
  /** Tell a follower of new entries. Returns a function that stops it. */
  follow?: ((follower: Follower<T>) => () => void) | undefined;
}

/**
 * A list that is read page by page, and followed if there is a way to. Give it another `key` to read another one. Rows take the focus,
 * so they need a `tabIndex`.
 */
export function PagedList<T extends { id: Key }>(
  props: Source<T> & {
    row: (entry: T, ref: Ref<HTMLLIElement>, isNew: boolean) => ReactNode;
    none: string;
    moreShown: (count: number) => string;
    /** What is announced when a new entry is shown. */
    newShown?: (entry: T) => string;
  },
) {
  const texts = useTexts();
  const { pages, arrived, error, more, hasMore } = usePages(props);
  const entries = [...arrived, ...pages.flat()];
  const [latest] = arrived;
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
          {entries.map((entry, at) =>
            props.row(entry, at === firstOfPage ? firstNew : null, arrived.includes(entry)),
          )}
        </ol>
      )}
      {pages.length > 0 && entries.length === 0 && <p className="hint">{props.none}</p>}
      <div role="status" className="hidden">
        {pages.length > 1 && props.moreShown(pages.at(-1)?.length ?? 0)}
      </div>
      <div role="status" className="hidden">
        {latest && props.newShown?.(latest)}
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

interface Entries<T> {
  pages: T[][];
  /** What came after the pages were read, the newest first. */
  arrived: T[];
  position?: Connection<T>["pageInfo"];
}

function usePages<T extends { id: Key }>({ read, follow }: Source<T>) {
  const [entries, setEntries] = useState<Entries<T>>({ pages: [], arrived: [] });
  const [error, setError] = useState<unknown>();
  const { pages, arrived, position } = entries;
  const isLoading = useRef(false);

  async function more() {
    if (isLoading.current) return;
    isLoading.current = true;
    try {
      const page = await read(position?.endCursor ?? null);
      setEntries((entries) => withPage(entries, page));
      setError(undefined);
    } catch (error) {
      setError(error);
    }
    isLoading.current = false;
  }

  // Once: another list has another key.
  useEffect(() => void more(), []);
  useEffect(
    () =>
      follow?.({
        next: (entry) => setEntries((entries) => withNew(entries, [entry])),
        connected: () =>
          void read(null).then(
            (newest) => setEntries((entries) => withNewest(entries, newest)),
            () => {},
          ),
      }),
    [],
  );

  return { pages, arrived, error, more, hasMore: position?.hasNextPage ?? false };
}

function withPage<T extends { id: Key }>(entries: Entries<T>, page: Connection<T>): Entries<T> {
  const found = nodesOf(page);
  const arrived = without(entries.arrived, found);
  return { pages: [...entries.pages, found], arrived, position: page.pageInfo };
}

function withNew<T extends { id: Key }>(entries: Entries<T>, found: T[]): Entries<T> {
  const unknown = without(found, [...entries.arrived, ...entries.pages.flat()]);
  return { ...entries, arrived: [...unknown, ...entries.arrived] };
}

/** Add what was missed. If that is more than a page, begin again: a list has no hole. */
function withNewest<T extends { id: Key }>(entries: Entries<T>, page: Connection<T>): Entries<T> {
  const added = withNew(entries, nodesOf(page));
  const isConnected = added.arrived.length - entries.arrived.length < page.edges.length;
  if (isConnected || !entries.position || !page.pageInfo.hasNextPage) return added;
  return withPage({ pages: [], arrived: [] }, page);
}

function nodesOf<T>(page: Connection<T>): T[] {
  return page.edges.map(({ node }) => node);
}

function without<T extends { id: Key }>(entries: T[], others: T[]): T[] {
  const ids = new Set(others.map(({ id }) => id));
  return entries.filter(({ id }) => !ids.has(id));
}
