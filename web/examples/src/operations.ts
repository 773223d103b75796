/** The operations of the program, for all clients. `npm run generate` makes their types. */

import { graphql } from "./gql";

export const REGISTER = graphql(`
  mutation Register($input: RegisterInput!) {
    register(input: $input) {
      accessToken
      refreshToken
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
    }
  }
`);

export const REFRESH = graphql(`
  mutation Refresh($refreshToken: String!) {
    refresh(refreshToken: $refreshToken) {
      accessToken
      refreshToken
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
          title
          createdAt
          author {
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
