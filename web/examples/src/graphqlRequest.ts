import { ClientError, GraphQLClient } from "graphql-request";
import { type Ask, authorization } from "./client";
import { Refusal } from "./refusal";

export function graphqlRequest(url: string): Ask {
  const client = new GraphQLClient(url);

  return async (document, variables, accessToken) => {
    try {
      const headers = authorization(accessToken);
      return await client.request(document, ...([variables, headers] as never));
    } catch (error) {
      throw error instanceof ClientError ? Refusal.of(error.response.errors?.[0]) : error;
    }
  };
}
