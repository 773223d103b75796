/** The operations of the program, for all clients. `npm run generate` makes their types. */

import { graphql } from "./gql";

export const REGISTER = graphql(`
  mutation Register($input: RegisterInput!) {
    register(input: $input) {
      accessToken
      refreshToken
      expiresIn
      user {
        id
        username
        email
      }
    }
  }
`);

export const LOGIN = graphql(`
  mutation Login($username: String!, $password: String!) {
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
`);

export const REFRESH = graphql(`
  mutation Refresh($refreshToken: String!) {
    refresh(refreshToken: $refreshToken) {
      accessToken
      refreshToken
      expiresIn
    }
  }
`);

export const START_TOTP = graphql(`
  mutation StartTotp {
    startTotp {
      secret
    }
  }
`);

export const CONFIRM_TOTP = graphql(`
  mutation ConfirmTotp($code: String!) {
    confirmTotp(code: $code)
  }
`);

export const REMOVE_TOTP = graphql(`
  mutation RemoveTotp {
    removeTotp {
      id
      factors {
        totp
      }
    }
  }
`);

export const ME = graphql(`
  query Me {
    me {
      id
      username
      email
      sessions {
        isCurrent
        method
      }
    }
  }
`);

/** `publicUser` is the author of the user's posts in a cache by type and id. */
export const RENAME = graphql(`
  mutation Rename($username: String!) {
    updateMe(input: { username: $username }) {
      id
      username
      publicUser {
        id
        username
      }
    }
  }
`);

export const WRITE = graphql(`
  mutation Write($input: PostInput!) {
    createPost(input: $input) {
      id
    }
  }
`);

export const POSTS = graphql(`
  query Posts($first: Int!, $after: String, $author: ID) {
    posts(first: $first, after: $after, author: $author) {
      edges {
        node {
          id
          title
          createdAt
          author {
            id
            username
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const EVENTS = graphql(`
  subscription Events {
    securityEvents {
      id
      kind
      createdAt
    }
  }
`);
