import { useState } from "react";
import { Failure } from "../Failure";
import { Loading } from "../Frame";
import { useLive } from "../live";
import { setNotice } from "../notice";
import {
  END_OTHER_SESSIONS,
  END_SESSION,
  FOLLOW_SESSIONS,
  READ_SESSIONS,
  type Session,
} from "../operations";
import { request } from "../proof";
import { Time } from "../Time";
import type { Texts } from "../texts/en";
import { useTexts } from "../texts/language";
import { useChange } from "../useChange";
import { useQuery } from "../useQuery";

/** What has become of a session while the page was shown. */
type Shown = Session & { isNew?: boolean; hasEnded?: boolean };

export function Sessions() {
  const texts = useTexts();
  const { data, error, load, setData } = useQuery<{ me: { sessions: Shown[] } }>(READ_SESSIONS);
  const [news, setNews] = useState<Shown[]>([]);

  useLive<{ me: { sessions: Session[] } }>(FOLLOW_SESSIONS, ({ me }) => {
    if (!data) return;
    const sessions = merge(data.me.sessions, me.sessions);
    const changed = sessions.filter((one) => !data.me.sessions.some((old) => isSame(old, one)));
    if (changed.length > 0) setNews(changed);
    setData({ me: { sessions } });
  });

  return (
    <>
      <p className="intro">{texts.sessions.intro}</p>
      <div role="status" className="hidden">
        {news.map((session) => newsOf(session, texts)).join(" ")}
      </div>
      {error !== undefined ? (
        <Failure error={error} retry={load} />
      ) : data ? (
        <SessionList sessions={data.me.sessions} reload={load} />
      ) : (
        <Loading />
      )}
    </>
  );
}

/** Rows stay where they are: the pointer may be on its way to a button. */
function merge(shown: Shown[], active: Session[]): Shown[] {
  const now = new Map(active.map((session) => [session.id, session]));
  const kept = shown.map((session) => {
    const found = now.get(session.id);
    return found ? { ...session, ...found } : { ...session, hasEnded: true };
  });
  const known = new Set(shown.map(({ id }) => id));
  const added = active.filter(({ id }) => !known.has(id));
  return [...kept, ...added.map((session) => ({ ...session, isNew: true }))];
}

function isSame(one: Shown, other: Shown): boolean {
  return one.id === other.id && one.hasEnded === other.hasEnded;
}

function newsOf({ hasEnded, ...session }: Shown, { sessions }: Texts): string {
  const device = session.device ?? sessions.unknownDevice;
  const ip = session.ip ?? sessions.unknownPlace;
  return (hasEnded ? sessions.hasEnded : sessions.hasStarted)(device, ip);
}

function SessionList({ sessions, reload }: { sessions: Shown[]; reload: () => Promise<void> }) {
  const texts = useTexts();
  const { error, isBusy, change } = useChange();
  const [current, others] = [
    sessions.filter(({ isCurrent }) => isCurrent),
    sessions.filter(({ isCurrent }) => !isCurrent),
  ];

  /** Do something and read the list again. The button may be gone by then, and the focus with it. */
  const act = (action: () => Promise<void>) =>
    change(async () => {
      await action();
      await reload();
      document.querySelector<HTMLElement>("h1")?.focus();
    });

  const end = (id: string) =>
    act(async () => {
      await request(END_SESSION, { id });
      setNotice(({ sessions }) => sessions.ended);
    });

  const endOthers = () =>
    act(async () => {
      const { logoutEverywhere: count } = await request<{ logoutEverywhere: number }>(
        END_OTHER_SESSIONS,
      );
      setNotice(({ sessions }) => sessions.othersEnded(count));
    });

  return (
    <>
      <Failure error={error} />
      <ul className="rows card">
        {[...current, ...others].map((each) => (
          <SessionRow key={each.id} session={each} isBusy={isBusy} end={() => void end(each.id)} />
        ))}
      </ul>
      {others.some(({ hasEnded }) => !hasEnded) ? (
        <button
          type="button"
          className="danger quiet"
          aria-disabled={isBusy}
          onClick={() => void endOthers()}
        >
          {texts.sessions.endOthers}
        </button>
      ) : (
        <p className="hint">{texts.sessions.only}</p>
      )}
    </>
  );
}

/**
 * Without `end`, the session cannot be ended here. `impersonated` replaces the text for the owner,
 * who is told when an administrator acts in their place.
 */
export function SessionRow(props: {
  session: Shown;
  isBusy?: boolean;
  end?: () => void;
  impersonated?: (name: string | undefined) => string;
}) {
  const texts = useTexts().sessions;
  const { isCurrent, isNew, hasEnded, createdAt, lastUsedAt, method, impersonatedBy } =
    props.session;
  const device = props.session.device ?? texts.unknownDevice;
  const ip = props.session.ip ?? texts.unknownPlace;
  return (
    <li className={hasEnded ? "ended" : undefined}>
      <DeviceIcon device={device} />
      <div className="about">
        <strong>{device}</strong> {isCurrent && <span className="badge">{texts.current}</span>}
        {hasEnded ? (
          <span className="badge off">{texts.endedBadge}</span>
        ) : (
          isNew && <span className="badge">{texts.newBadge}</span>
        )}
        <p className="hint">{ip}</p>
        {method === "IMPERSONATION" && (
          <p className="few">
            {(props.impersonated ?? texts.impersonated)(impersonatedBy?.username)}
          </p>
        )}
        <p className="hint">
          {texts.lastUsed} <Time at={lastUsedAt} /> · {texts.started}{" "}
          <Time at={createdAt} isExact />
        </p>
      </div>
      {!isCurrent && props.end && (
        <button
          type="button"
          aria-label={texts.endNamed(device, ip)}
          aria-disabled={props.isBusy || hasEnded}
          onClick={hasEnded ? undefined : props.end}
        >
          {texts.end}
        </button>
      )}
    </li>
  );
}

function DeviceIcon({ device }: { device: string }) {
  const isPhone = /iOS|Android|Mobile/.test(device);
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      {isPhone ? (
        <path d="M8 2.75h8A1.25 1.25 0 0 1 17.25 4v16A1.25 1.25 0 0 1 16 21.25H8A1.25 1.25 0 0 1 6.75 20V4A1.25 1.25 0 0 1 8 2.75zM11 18h2" />
      ) : (
        <path d="M4 4.75h16A1.25 1.25 0 0 1 21.25 6v9A1.25 1.25 0 0 1 20 16.25H4A1.25 1.25 0 0 1 2.75 15V6A1.25 1.25 0 0 1 4 4.75zM8 20.25h8M12 16.25v4" />
      )}
    </svg>
  );
}
