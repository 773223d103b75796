import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { type Execute, authorization, operationType } from "./client";
import { ApiError } from "./errors";

export function urql(url: string): Execute {
  const client = new Client({ url, exchanges: [cacheExchange, fetchExchange] });

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
