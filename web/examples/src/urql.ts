import { Client, type Exchange, cacheExchange, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { type Execute, authorization, operationType } from "./client";
import { ApiError } from "./errors";

export function urql(url: string, ...exchanges: Exchange[]): Execute {
  const client = new Client({ url, exchanges: [cacheExchange, ...exchanges, fetchExchange] });

  return async (document, variables, accessToken) => {
    const context = {
      requestPolicy: "network-only" as const,
      fetchOptions: { headers: authorization(accessToken) },
    };
    const { data, error } =
      operationType(document as never) === "mutation"
        ? await client.mutation(document, variables, context)
        : await client.query(document, variables, context);
    if (error?.graphQLErrors[0]) throw ApiError.of(error.graphQLErrors[0]);
    if (error) throw error;
    return data as never;
  };
}

/** As `apolloPersisted`, by GET as far as URLs may be long, and for mutations as well. */
export function urqlPersisted(url: string): Execute {
  return urql(url, persistedExchange({ enableForMutation: true }));
}
