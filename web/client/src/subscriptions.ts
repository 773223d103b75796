import { GatehouseError } from "./graphql.js";
import type { Session } from "./types.js";

export interface Subscriber<T> {
  variables?: Record<string, unknown>;
  /** Gets the data of each event. */
  next(data: T): void;
  /**
   * Called each time the server has been asked for the events: at the start, and after the
   * connection was lost, when some may have been missed.
   */
  connected?(): void;
  /**
   * Called if the subscription ends by itself: with `UNAUTHENTICATED` when the session ends, with
   * another error of the server, or without one if it completes.
   */
  ended?(error?: GatehouseError): void;
}

type Subscribe = <T>(query: string, subscriber: Subscriber<T>) => () => void;

interface Message {
  type: string;
  id: string;
  payload?: unknown;
}

interface Failure {
  message: string;
  extensions?: Record<string, unknown>;
}

const PROTOCOL = "graphql-transport-ws";
/** Before a connection is opened again, in milliseconds. It doubles each time, less up to a half. */
const MIN_DELAY = 1_000;
const MAX_DELAY = 60_000;
/** A connection that was kept this long was a good one, in milliseconds. */
const STABLE_TIME = 10_000;
/** How long the server may be silent before it is sent a `ping`, and then, in milliseconds. */
const PING_AFTER = 30_000;
const ANSWER_TIME = 10_000;
/** After this time a hidden page gives its connection up: a session can have five. */
const MAX_HIDDEN_TIME = 60_000;

const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
/** The server does not want to hear that again: broken limits, and errors of the protocol. */
const FATAL = /^(100[2789]|4(?!408|499)[45]\d\d)$/;
const REJECTS_TOKEN = /^(TOKEN_EXPIRED|UNAUTHENTICATED)$/;

const connections = new WeakMap<Session, Subscribe>();

/**
 * Subscribe to events. All subscriptions of a session share one WebSocket, which is open while there
 * is one and opened again when it is lost. Returns a function that ends the subscription.
 */
export function subscribe<T>(
  session: Session,
  query: string,
  subscriber: Subscriber<T>,
): () => void {
  let connection = connections.get(session);
  if (!connection) connections.set(session, (connection = createConnection(session)));
  return connection(query, subscriber);
}

function createConnection(session: Session): Subscribe {
  const subscriptions = new Map<string, { query: string; subscriber: Subscriber<never> }>();
  let lastId = 0;
  let socket: WebSocket | undefined;
  let token: string | undefined;
  let userId: string | undefined;
  /** When the server has accepted the connection. */
  let readySince: number | undefined;
  let failures = 0;
  let isOpening = false;
  let isPaused = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let answerTimer: ReturnType<typeof setTimeout> | undefined;
  let pauseTimer: ReturnType<typeof setTimeout> | undefined;
  let stopListening: (() => void) | undefined;

  const add: Subscribe = (query, subscriber) => {
    const id = String(++lastId);
    subscriptions.set(id, { query, subscriber });
    stopListening ??= listen();
    if (readySince) begin(id);
    else if (!retryTimer) void open();
    return () => {
      if (!subscriptions.delete(id)) return;
      if (readySince) send({ id, type: "complete" });
      closeIfUnused();
    };
  };

  async function open(): Promise<void> {
    if (socket || isOpening || isPaused) return;
    isOpening = true;
    token = await session.accessToken();
    isOpening = false;
    if (!subscriptions.size || isPaused) return;
    if (!token) return session.state.status === "signedOut" ? endAll(signedOut()) : retry();
    userId = session.state.user?.id;
    const opened = new WebSocket(addressOf(session.url), PROTOCOL);
    socket = opened;
    expectAnswer(PING_AFTER);
    const Authorization = `Bearer ${token}`;
    opened.onopen = () => send({ type: "connection_init", payload: { Authorization } });
    opened.onmessage = ({ data }) => opened === socket && receive(JSON.parse(data));
    opened.onclose = ({ code, reason }) => opened === socket && closed(code, reason);
  }

  function send(message: object): void {
    if (socket?.readyState === 1) socket.send(JSON.stringify(message));
  }

  function begin(id: string): void {
    const { query, subscriber } = subscriptions.get(id)!;
    send({ id, type: "subscribe", payload: { query, variables: subscriber.variables ?? {} } });
    subscriber.connected?.();
  }

  function receive({ type, id, payload }: Message): void {
    clearTimeout(answerTimer);
    answerTimer = setTimeout(ping, PING_AFTER);
    if (type === "ping") send({ type: "pong" });
    else if (type === "complete") end(id);
    else if (type === "error") reject(id, payload as Failure[]);
    else if (type === "next") pass(id, payload as { data?: unknown; errors?: Failure[] });
    else if (type === "connection_ack") {
      readySince = Date.now();
      for (const each of [...subscriptions.keys()]) begin(each);
    }
  }

  function pass(id: string, { data, errors }: { data?: unknown; errors?: Failure[] }): void {
    if (data) subscriptions.get(id)?.subscriber.next(data as never);
    else {
      send({ id, type: "complete" });
      reject(id, errors);
    }
  }

  function reject(id: string, errors: Failure[] = []): void {
    const { message = "The server sent no data.", extensions } = errors[0] ?? {};
    if (subscriptions.has(id) && REJECTS_TOKEN.test(String(extensions?.code))) void renew();
    else end(id, new GatehouseError(message, extensions));
  }

  function closed(code: number, reason: string): void {
    const closeCode = code;
    if (code === UNAUTHORIZED || code === FORBIDDEN) void renew();
    else if (!FATAL.test(String(code))) lose();
    else endAll(new GatehouseError(`The server closed the connection. ${reason}`, { closeCode }));
  }

  /** Let the session find out whether it has ended, and continue with a new token if it has not. */
  async function renew(): Promise<void> {
    const rejected = token;
    forget();
    // A change of the password has ended the session and started another one.
    if (session.state.accessToken === rejected) await session.refresh().catch(() => {});
    if (!socket) retry();
  }

  function lose(): void {
    forget();
    retry();
  }

  function retry(): void {
    clearTimeout(retryTimer);
    retryTimer = undefined;
    if (!subscriptions.size || isPaused) return;
    const delay = Math.min(MIN_DELAY * 2 ** failures++, MAX_DELAY) * (1 - Math.random() / 2);
    retryTimer = setTimeout(() => {
      retryTimer = undefined;
      void open();
    }, delay);
  }

  /** Close the socket, if there is one, without another word of it. */
  function forget(): void {
    const old = socket;
    socket = undefined;
    // Browsers warn of a socket that is closed while it opens.
    if (old?.readyState === 0) old.onopen = () => old.close();
    else old?.close();
    if (readySince && Date.now() - readySince > STABLE_TIME) failures = 0;
    readySince = undefined;
    clearTimeout(answerTimer);
    clearTimeout(retryTimer);
    retryTimer = undefined;
  }

  function ping(): void {
    send({ type: "ping" });
    expectAnswer(ANSWER_TIME);
  }

  /** Browsers notice only after minutes that a network is gone. */
  function expectAnswer(within: number): void {
    clearTimeout(answerTimer);
    answerTimer = setTimeout(lose, within);
  }

  function end(id: string, error?: GatehouseError): void {
    const ended = subscriptions.get(id);
    if (!subscriptions.delete(id)) return;
    closeIfUnused();
    ended?.subscriber.ended?.(error);
  }

  function endAll(error: GatehouseError): void {
    forget();
    for (const id of [...subscriptions.keys()]) end(id, error);
  }

  /** A page that replaces another one has a subscription again at once. */
  function closeIfUnused(): void {
    queueMicrotask(() => {
      if (subscriptions.size) return;
      forget();
      stopListening?.();
      stopListening = undefined;
    });
  }

  function listen(): () => void {
    isPaused = false;
    failures = 0;
    const removeListener = session.onChange(({ status, user }) => {
      if (status === "signedOut") endAll(signedOut());
      // Another user has signed in.
      else if (socket && user?.id !== userId) lose();
    });
    if (!("document" in globalThis)) return removeListener;
    const listening = new AbortController();
    const { signal } = listening;
    document.addEventListener("visibilitychange", wake, { signal });
    addEventListener("pageshow", wake, { signal });
    addEventListener("online", wake, { signal });
    wake();
    return () => {
      removeListener();
      listening.abort();
      clearTimeout(pauseTimer);
    };
  }

  /** Connect soon, or find out whether the connection is still there. */
  function wake(): void {
    clearTimeout(pauseTimer);
    if (document.visibilityState === "hidden") {
      pauseTimer = setTimeout(pause, MAX_HIDDEN_TIME);
    } else if (isPaused || retryTimer) {
      isPaused = false;
      failures = 0;
      retry();
    } else if (readySince) ping();
  }

  function pause(): void {
    isPaused = true;
    forget();
  }

  return add;
}

function addressOf(url: string): URL {
  const address = new URL(url, globalThis.document?.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  return address;
}

function signedOut(): GatehouseError {
  return new GatehouseError("You are signed out.", { code: "UNAUTHENTICATED" });
}
