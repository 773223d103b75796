import { useEffect, useRef, useState } from "react";
import { Failure } from "../Failure";
import { Loading } from "../Frame";
import { type EventPage, READ_EVENTS, type SecurityEvent } from "../operations";
import { session } from "../session";
import { Time } from "../Time";
import { en } from "../texts/en";
import { useTexts } from "../texts/language";

// Every start of an application renews its session, which would hide everything else.
const ALL_BUT_RENEWALS = Object.keys(en.events.kinds).filter((kind) => kind !== "REFRESHED");
const WARNINGS = ["WRONG_PASSWORD", "WRONG_CODE", "TOKEN_REUSED"];

export function Events() {
  const texts = useTexts().events;
  const [hasRenewals, setRenewals] = useState(false);
  return (
    <>
      <p className="intro">{texts.intro}</p>
      <label className="check">
        <input
          type="checkbox"
          checked={hasRenewals}
          onChange={() => setRenewals(!hasRenewals)}
        />
        {texts.includeRenewals}
      </label>
      <EventList key={String(hasRenewals)} kinds={hasRenewals ? null : ALL_BUT_RENEWALS} />
    </>
  );
}

function EventList({ kinds }: { kinds: string[] | null }) {
  const texts = useTexts().events;
  const { pages, error, more, hasMore } = useEvents(kinds);
  const events = pages.flat();
  const firstOfPage = events.length - (pages.at(-1)?.length ?? 0);
  const firstNew = useRef<HTMLLIElement>(null);

  // Continue to read where the new entries begin.
  useEffect(() => {
    if (pages.length > 1) firstNew.current?.focus();
  }, [pages.length]);

  if (pages.length === 0 && error === undefined) return <Loading />;
  return (
    <>
      {events.length > 0 && (
        <ol className="rows card">
          {events.map((event, at) => (
            <EventRow key={event.id} event={event} ref={at === firstOfPage ? firstNew : null} />
          ))}
        </ol>
      )}
      {pages.length > 0 && events.length === 0 && <p className="hint">{texts.none}</p>}
      <div role="status" className="hidden">
        {pages.length > 1 && texts.moreShown(pages.at(-1)?.length ?? 0)}
      </div>
      <Failure error={error} retry={more} />
      {hasMore && error === undefined && (
        <button type="button" onClick={() => void more()}>
          {texts.more}
        </button>
      )}
    </>
  );
}

function EventRow({ event, ref }: { event: SecurityEvent; ref: React.Ref<HTMLLIElement> }) {
  const texts = useTexts();
  const isWarning = WARNINGS.includes(event.kind);
  return (
    <li ref={ref} tabIndex={-1}>
      <svg className={isWarning ? "icon warning" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
        {isWarning ? (
          <path d="M12 4 3 19.5h18zM12 10v4.5M12 17v.2" />
        ) : (
          <path d="M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 12l2.5 2.5 4.5-5" />
        )}
      </svg>
      <div className="about">
        <strong>{texts.events.kinds[event.kind] ?? event.kind}</strong>
        <p className="hint">
          {event.device ?? texts.sessions.unknownDevice} · {event.ip ?? texts.sessions.unknownPlace}
        </p>
      </div>
      <span className="hint when">
        <Time at={event.createdAt} isExact />
      </span>
    </li>
  );
}

/** Read the events page by page. */
function useEvents(kinds: string[] | null) {
  const [pages, setPages] = useState<SecurityEvent[][]>([]);
  const [error, setError] = useState<unknown>();
  const [position, setPosition] = useState<EventPage["pageInfo"]>();
  const isLoading = useRef(false);

  async function more() {
    if (isLoading.current) return;
    isLoading.current = true;
    try {
      const variables = { kinds, after: position?.endCursor ?? null };
      const { me } = await session.request<{ me: { securityEvents: EventPage } }>(
        READ_EVENTS,
        variables,
      );
      const { edges, pageInfo } = me.securityEvents;
      setPages((pages) => [...pages, edges.map(({ node }) => node)]);
      setPosition(pageInfo);
      setError(undefined);
    } catch (error) {
      setError(error);
    }
    isLoading.current = false;
  }

  // Once: the list has another key for other kinds.
  useEffect(() => void more(), []);

  return { pages, error, more, hasMore: position?.hasNextPage ?? false };
}
