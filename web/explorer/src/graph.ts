/** The operations of the account panel, and how the explorer sends the documents of users. */

export interface GraphQLError {
  message: string;
  extensions?: {
    code?: string;
    fields?: Record<string, string[]>;
    retryAfter?: number;
  };
}

export interface GraphQLResponse<Data> {
  data?: Data | null;
  errors?: GraphQLError[];
}

const TOKEN = "accessToken refreshToken expiresIn user { id username }";

export const REGISTER = `mutation Register($input: RegisterInput!) {
  register(input: $input) { ${TOKEN} }
}`;
export const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { ${TOKEN} }
}`;
export const EMAIL = "query Email { me { email } }";
export const FOLLOW = "subscription Follow { me { username email } }";

/**
 * Send a GraphQL request. Never rejects: a network error is returned as a GraphQL error. It does
 * not ask for the cookie: what users try out does not change who the panel is signed in as.
 */
export async function send<Data>(
  request: object,
  headers: Headers,
): Promise<GraphQLResponse<Data>> {
  headers.set("Accept", "application/json");
  headers.set("Content-Type", "application/json");
  let response: Response;
  try {
    response = await fetch("graphql", { method: "POST", headers, body: JSON.stringify(request) });
  } catch {
    return { errors: [{ message: "The server cannot be reached." }] };
  }
  try {
    return (await response.json()) as GraphQLResponse<Data>;
  } catch {
    const message = `The server returned status ${response.status} without a JSON body.`;
    return { errors: [{ message }] };
  }
}
