// graphql-yoga on Node's built-in HTTP server. Its documents are parsed and validated once, which is
// its default, and so is a log without a line for each request.
import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
import { me, port, typeDefs } from "./me.mjs";

const schema = createSchema({
  typeDefs,
  resolvers: { Query: { me: (_, __, { request }) => me(request.headers.get("authorization")) } },
});
createServer(createYoga({ schema })).listen(port, "127.0.0.1");
