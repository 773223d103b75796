import { useState } from "react";
import { follow } from "../live";
import { FOLLOW_EVENTS, READ_EVENTS, type SecurityEvent } from "../operations";
import { type Connection, type Follower, PagedList } from "../PagedList";
import { session } from "../session";
import { Time } from "../Time";
import { en } from "../texts/en";
import { useTexts } from "../texts/language";

// Every start of an application renews its session, which would hide everything else.
const ALL_BUT_RENEWALS = Object.keys(en.events.kinds).filter((kind) => kind !== "REFRESHED");
const WARNINGS = ["WRONG_PASSWORD", "WRONG_CODE", "TOKEN_REUSED"];

/** Read a page of events, those of all kinds if `kinds` is null. */
type Read = (kinds: string[] | null, after: string | null) => Promise<Connection<SecurityEvent>>;
type Follow = (kinds: string[] | null, follower: Follower<SecurityEvent>) => () => void;

export function Events() {
  return (
    <>
      <p className="intro">{useTexts().events.intro}</p>
      <EventList read={readOwn} follow={followOwn} />
    </>
  );
}

async function readOwn(kinds: string[] | null, after: string | null) {
  const { me } = await session.request<{ me: { securityEvents: Connection<SecurityEvent> } }>(
    READ_EVENTS,
    { kinds, after },
  );
  return me.securityEvents;
}

function followOwn(kinds: string[] | null, { next, connected }: Follower<SecurityEvent>) {
  return follow<{ securityEvents: SecurityEvent }>(FOLLOW_EVENTS, {
    variables: { kinds },
    next: ({ securityEvents }) => next(securityEvents),
    connected,
  });
}

/** `kinds` are texts that replace those for the owner. */
export function EventList(props: {
  read: Read;
  follow?: Follow;
  kinds?: Record<string, string>;
}) {
  const texts = useTexts().events;
  const [hasRenewals, setRenewals] = useState(false);
  const kinds = hasRenewals ? null : ALL_BUT_RENEWALS;
  const names: Record<string, string> = { ...texts.kinds, ...props.kinds };
  const nameOf = ({ kind }: SecurityEvent) => names[kind] ?? kind;
  return (
    <>
      <label className="check">
        <input
          type="checkbox"
          checked={hasRenewals}
          onChange={() => setRenewals(!hasRenewals)}
        />
        {texts.includeRenewals}
      </label>
      <PagedList
        key={String(hasRenewals)}
        read={(after) => props.read(kinds, after)}
        follow={props.follow && ((follower) => props.follow!(kinds, follower))}
        row={(event, ref, isNew) => (
          <EventRow key={event.id} event={event} name={nameOf(event)} isNew={isNew} ref={ref} />
        )}
        none={texts.none}
        moreShown={texts.moreShown}
        newShown={(event) => texts.newShown(nameOf(event))}
      />
    </>
  );
}

function EventRow(props: {
  event: SecurityEvent;
  name: string;
  isNew: boolean;
  ref: React.Ref<HTMLLIElement>;
}) {
  const texts = useTexts();
  const { event } = props;
  const isWarning = WARNINGS.includes(event.kind);
  return (
    <li ref={props.ref} tabIndex={-1}>
      <svg className={isWarning ? "icon warning" : "icon"} viewBox="0 0 24 24" aria-hidden="true">
        {isWarning ? (
          <path d="M12 4 3 19.5h18zM12 10v4.5M12 17v.2" />
        ) : (
          <path d="M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 12l2.5 2.5 4.5-5" />
        )}
      </svg>
      <div className="about">
        <strong>{props.name}</strong>{" "}
        {props.isNew && <span className="badge">{texts.events.newBadge}</span>}
        <p className="hint">
          {event.device ?? texts.sessions.unknownDevice} · {event.ip ?? texts.sessions.unknownPlace}
        </p>
        {event.actor && <p className="hint">{texts.events.actor(event.actor.username)}</p>}
        {event.detail && <p className="hint">{texts.events.detail(event.detail)}</p>}
      </div>
      <span className="hint when">
        <Time at={event.createdAt} isExact />
      </span>
    </li>
  );
}
