// A subgraph of reviews, whose authors and posts are those of Gatehouse. REVIEWS has its rows.
import { readFileSync } from "node:fs"
import { ApolloServer } from "@apollo/server"
import { startStandaloneServer } from "@apollo/server/standalone"
import { buildSubgraphSchema } from "@apollo/subgraph"
import { parse } from "graphql"

const rows = JSON.parse(process.env.REVIEWS)
const pageInfo = { hasNextPage: false, hasPreviousPage: false }
const writtenBy = (id) => rows.filter(({ author }) => author.id === id)

const schema = buildSubgraphSchema({
  typeDefs: parse(readFileSync(new URL("reviews.graphql", import.meta.url), "utf8")),
  resolvers: {
    Query: {
      reviews: () => ({ nodes: rows, pageInfo }),
      myReviews: (_, __, { userId }) => writtenBy(userId),
    },
    PublicUser: { reviews: ({ id }) => writtenBy(id) },
  },
})

await startStandaloneServer(new ApolloServer({ schema }), {
  listen: { host: "127.0.0.1", port: Number(process.env.PORT) },
  context: async ({ req }) => ({ userId: req.headers["x-user-id"] }),
})
