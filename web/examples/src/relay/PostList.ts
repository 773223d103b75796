/** Documents for the compiler of Relay, which checks connections, cursors and ids in the schema. */

import { graphql } from "relay-runtime";

export const postListFragment = graphql`
  fragment PostList_query on Query
  @argumentDefinitions(first: { type: "Int", defaultValue: 20 }, after: { type: "String" })
  @refetchable(queryName: "PostListPaginationQuery") {
    posts(first: $first, after: $after) @connection(key: "PostList_posts") {
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
    }
  }
`;

export const postListQuery = graphql`
  query PostListQuery {
    ...PostList_query
  }
`;
