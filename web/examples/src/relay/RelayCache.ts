/**
 * Documents for Relay's runtime. Its store has one record for each id, so that the current user and
 * the author of the same user's posts are one record with two types.
 */

import { graphql } from "relay-runtime";

/** Select private fields on `me` itself, or in a fragment on `PrivateUser`. */
export const meQuery = graphql`
  query RelayCacheMeQuery {
    me {
      id
      username
      email
      ...RelayCache_private
      ...RelayCache_user
    }
  }
`;

export const privateFragment = graphql`
  fragment RelayCache_private on PrivateUser {
    email
  }
`;

/** Not like this: the email is lost when the record becomes the author of a post. */
export const userFragment = graphql`
  fragment RelayCache_user on User {
    username
    ... on PrivateUser {
      email
    }
  }
`;

export const postsQuery = graphql`
  query RelayCachePostsQuery($author: ID!) {
    posts(first: 2, author: $author) {
      edges {
        node {
          id
          author {
            id
            username
          }
        }
      }
    }
  }
`;
