// Mercurius on Fastify, with its JIT compiler from the first request.
import fastify from "fastify";
import mercurius from "mercurius";
import { me, port, typeDefs } from "./me.mjs";

const app = fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { Query: { me: (_, __, { bearer }) => me(bearer) } },
  context: (request) => ({ bearer: request.headers.authorization }),
  jit: 1,
});
await app.listen({ port, host: "127.0.0.1" });
