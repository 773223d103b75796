/**
 * What pages follow while they are shown. Where nothing lets WebSockets pass, they are complete
 * without it.
 */

import { type Subscriber, subscribe } from "@gatehouse/client/subscriptions";
import { useEffect, useEffectEvent } from "react";
import { session } from "./session";

/** How long after the server has ended a subscription it begins again, in milliseconds. */
const RETRY_AFTER = 60_000;

/** Call `next` with each event. Returns a function that stops it. */
export function follow<T>(document: string, subscriber: Subscriber<T>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const start = () => {
    stop = subscribe(session, document, {
      ...subscriber,
      // Other pages may have taken all connections of the session.
      ended: () => (timer = setTimeout(start, RETRY_AFTER)),
    });
  };
  start();
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** Call `next` with each event while a component is shown. */
export function useLive<T>(document: string, next: (data: T) => void): void {
  const onNext = useEffectEvent(next);
  useEffect(() => follow<T>(document, { next: (data) => onNext(data) }), [document]);
}
