/** What the account panel asks of the API, and how every request of the explorer is sent. */

export interface GraphQLError {
  message: string;
  extensions?: {
    code?: string;
    fields?: Record<string, string[]>;
    retryAfter?: number;
  };
}

export interface Answer<Data> {
  data?: Data | null;
  errors?: GraphQLError[];
}

export interface Token {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  user: { username: string; email: string };
}

const TOKEN = "accessToken refreshToken expiresIn user { username email }";

export const REGISTER = `mutation Register($input: RegisterInput!) { register(input: $input) { ${TOKEN} } }`;
export const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { ${TOKEN} }
}`;
export const REFRESH = `mutation Refresh($refreshToken: String!) {
  refresh(refreshToken: $refreshToken) { ${TOKEN} }
}`;

/** Never rejects: what went wrong on the way is an error of the answer, as what went wrong in the graph is. */
export async function send<Data>(request: object, headers: Headers): Promise<Answer<Data>> {
  headers.set("Accept", "application/json");
  headers.set("Content-Type", "application/json");
  let response: Response;
  try {
    response = await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(request) });
  } catch {
    return { errors: [{ message: "The server cannot be reached." }] };
  }
  try {
    return (await response.json()) as Answer<Data>;
  } catch {
    return { errors: [{ message: `The server answered ${response.status}, and no JSON.` }] };
  }
}
