/**
 * A subscriber: `npm run program src/watch.ts <protocol> <url> <query> <token>...`, with `ws` for
 * graphql-ws and `sse` for graphql-sse. Each connection takes the next of the tokens. It writes what
 * happens in lines of JSON, and does not read from its WebSocket between the lines `pause` and
 * `resume` of its input.
 */

import { createInterface } from "node:readline";
import { createClient as createEventStreamClient } from "graphql-sse";
import { createClient as createWebSocketClient } from "graphql-ws";
import WebSocket from "ws";

const [protocol = "", url = "", query = "", ...tokens] = process.argv.slice(2);
let socket: WebSocket | undefined;

const write = (line: object) => console.log(JSON.stringify(line));
const sink = {
  next: ({ data, errors }: { data?: unknown; errors?: unknown }) =>
    write(data ? { next: data } : { errors }),
  error: (error: unknown) => write({ error: Array.isArray(error) ? error : String(error) }),
  complete: () => write({ complete: true }),
};

function authorization() {
  const token = tokens.length > 1 ? tokens.shift() : tokens[0];
  return { Authorization: `Bearer ${token}` };
}

function watchWebSocket(): void {
  const client = createWebSocketClient({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: authorization,
    on: {
      opened: (opened) => (socket = opened as WebSocket),
      connected: () => write({ connected: portOf(socket) }),
      closed: (event) => write({ closed: (event as CloseEvent).code }),
    },
  });
  client.subscribe({ query }, sink as never);
}

/** Return the port of this end, by which the server's end can be found. */
function portOf(of: WebSocket | undefined): number | undefined {
  const { _socket } = of as unknown as { _socket?: { localPort?: number } };
  return _socket?.localPort;
}

function watchEventStream(): void {
  const client = createEventStreamClient({ url, headers: authorization, retryAttempts: 0 });
  client.subscribe({ query }, sink as never);
}

if (protocol === "sse") watchEventStream();
else watchWebSocket();

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "pause") socket?.pause();
  if (line === "resume") socket?.resume();
});
