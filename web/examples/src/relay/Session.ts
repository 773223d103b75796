/** Documents of a session. */

import { graphql } from "relay-runtime";

export const loginMutation = graphql`
  mutation SessionLoginMutation($username: String!, $password: String!) {
    login(username: $username, password: $password) {
      accessToken
      refreshToken
      expiresIn
      user {
        id
        username
      }
    }
  }
`;

export const meQuery = graphql`
  query SessionMeQuery {
    me {
      id
      username
    }
  }
`;
