import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache } from "@apollo/client";
import { type Execute, authorization, operationType } from "./client";
import { ApiError } from "./errors";

export function apollo(url: string): Execute {
  const client = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() });

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
      throw CombinedGraphQLErrors.is(error) ? ApiError.of(error.errors[0]) : error;
    }
  };
}
