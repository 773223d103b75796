import type { SessionState } from "./types.js";

/** How long a tab waits for another tab to hand it an access token, in milliseconds. */
const ANSWER_TIME = 50;

type Message = { news: SessionState } | { answer: SessionState } | { question: true };

/** The tabs of a browser that share one cookie. */
export interface Tabs {
  /** Run while no other tab does. The newest cookie is then the last one to be stored. */
  exclusive<T>(run: () => Promise<T>): Promise<T>;
  /** Ask the other tabs for an access token. Returns when one has come, or after a moment. */
  ask(): Promise<void>;
  tell(state: SessionState): void;
}

export function noOtherTabs(): Tabs {
  return { exclusive: queue(), ask: async () => {}, tell: () => {} };
}

/** This tab, as the others need it. */
export interface ThisTab {
  state(): SessionState;
  /** Whether the access token can be handed on. */
  isUsable(): boolean;
  take(state: SessionState): void;
}

/** Connect to the other tabs with the same cookie. */
export function connectTabs(name: string, tab: ThisTab): Tabs {
  // Browsers have no locks on pages without HTTPS, except on this machine.
  const locks = navigator.locks as LockManager | undefined;
  const exclusive: Tabs["exclusive"] = locks
    ? (run) => locks.request(name, run) as ReturnType<typeof run>
    : queue();
  if (typeof BroadcastChannel === "undefined") return { ...noOtherTabs(), exclusive };

  const channel = new BroadcastChannel(name);
  const send = (message: Message) => channel.postMessage(message);
  let answered: (() => void) | undefined;
  channel.onmessage = ({ data }: MessageEvent<Message>) => {
    if ("news" in data) tab.take(data.news);
    else if ("question" in data) {
      if (tab.isUsable()) send({ answer: tab.state() });
    } else if (answered && data.answer.accessToken !== tab.state().accessToken) {
      tab.take(data.answer);
      answered();
    }
  };
  return {
    exclusive,
    tell: (state) => send({ news: state }),
    ask: () =>
      new Promise<void>((resolve) => {
        answered = resolve;
        setTimeout(resolve, ANSWER_TIME);
        send({ question: true });
      }).finally(() => (answered = undefined)),
  };
}

/** Run one after the other, in this tab alone. */
function queue(): Tabs["exclusive"] {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const result = last.then(run);
    last = result.catch(() => {});
    return result;
  };
}
