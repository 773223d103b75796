import { ClientError, GraphQLClient } from "graphql-request";
import { type Execute, authorization } from "./client";
import { ApiError } from "./errors";

export function graphqlRequest(url: string): Execute {
  const client = new GraphQLClient(url);

  return async (document, variables, accessToken) => {
    try {
      const headers = authorization(accessToken);
      return await client.request(document, ...([variables, headers] as never));
    } catch (error) {
      throw error instanceof ClientError ? ApiError.of(error.response.errors?.[0]) : error;
    }
  };
}
