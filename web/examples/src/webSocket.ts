import { print } from "graphql";
import { type FormattedExecutionResult, createClient } from "graphql-ws";
import WebSocket from "ws";
import { type Execute, authorization } from "./client";
import { ApiError } from "./errors";

/** Queries and mutations over WebSockets, with the token in the payload of `connection_init`. */
export function webSocket(url: string): Execute {
  return async (document, variables, accessToken) => {
    const client = createClient({
      url: url.replace(/^http/, "ws"),
      connectionParams: authorization(accessToken),
      // A browser, and Node from version 22, has one.
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
    try {
      const query = print(document as never);
      const results = client.iterate({ query, variables });
      const { value } = await results.next();
      const { data, errors } = value as FormattedExecutionResult;
      if (errors?.[0]) throw ApiError.of(errors[0]);
      return data as never;
    } catch (error) {
      throw Array.isArray(error) ? ApiError.of(error[0]) : error;
    } finally {
      await client.dispose();
    }
  };
}
