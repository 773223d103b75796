import {
  ApolloClient,
  ApolloError,
  type ApolloLink,
  HttpLink,
  InMemoryCache,
} from "apollo-client-3/core/index.js";
import { createPersistedQueryLink } from "apollo-client-3/link/persisted-queries/index.js";
import { type Execute, authorization, operationType } from "./client";
import { ApiError } from "./errors";
import { sha256 } from "./sha256";

/** Version 3 of Apollo Client, which many frontends still use. */
export function apollo3(url: string, link: ApolloLink = new HttpLink({ uri: url })): Execute {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });

  return async (document, variables, accessToken) => {
    const context = { headers: authorization(accessToken) };
    try {
      const { data } =
        operationType(document as never) === "mutation"
          ? await client.mutate({ mutation: document as never, variables, context })
          : await client.query({
              query: document as never,
              variables,
              context,
              fetchPolicy: "network-only",
            });
      return data as never;
    } catch (error) {
      if (error instanceof ApolloError && error.graphQLErrors[0]) {
        throw ApiError.of(error.graphQLErrors[0]);
      }
      throw error;
    }
  };
}

export function apollo3Persisted(url: string): Execute {
  return apollo3(url, createPersistedQueryLink({ sha256 }).concat(new HttpLink({ uri: url })));
}
