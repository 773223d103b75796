import {
  ApolloClient,
  type ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
} from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import type { Session } from "@gatehouse/client";
import { apolloLink } from "@gatehouse/client/apollo";
import { type Execute, authorization, operationType } from "./client";
import { ApiError } from "./errors";
import { POSTS, RENAME } from "./operations";
import { sha256 } from "./sha256";

export function apollo(url: string, link: ApolloLink = new HttpLink({ uri: url })): Execute {
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
      throw CombinedGraphQLErrors.is(error) ? ApiError.of(error.errors[0]) : error;
    }
  };
}

/**
 * Send the hash of a document first. Gatehouse says that it supports none, and the link then sends
 * documents, until an operation fails: then it tries a hash once more.
 */
export function apolloPersisted(url: string): Execute {
  return apollo(url, new PersistedQueryLink({ sha256 }).concat(new HttpLink({ uri: url })));
}

/**
 * Read a user's posts, rename the user, and return the names beside the posts as the cache then has
 * them. They are new without another query, because the mutation selects `publicUser`.
 */
export async function namesAfterRename(
  session: Session,
  author: string,
  username: string,
): Promise<string[]> {
  const link = apolloLink(session);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const page = { query: POSTS, variables: { first: 20, author } };
  await client.query(page);
  await client.mutate({ mutation: RENAME, variables: { username } });
  const cached = client.readQuery(page);
  return cached?.posts.edges.map(({ node }) => node.author.username) ?? [];
}
