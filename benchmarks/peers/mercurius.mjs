// Mercurius on Fastify, with its JIT compiler from the first request. As its documentation starts
// Fastify, it logs nothing.
import fastify from "fastify";
import mercurius from "mercurius";
import { me, port, typeDefs } from "./me.mjs";
import { createTables, refresh, refreshTypeDefs, startSession } from "./refresh.mjs";

await createTables();
const app = fastify();
app.register(mercurius, {
  schema: typeDefs + refreshTypeDefs,
  resolvers: {
    Query: { me: (_, __, { bearer }) => me(bearer) },
    Mutation: {
      startSession: (_, __, { bearer }) => startSession(bearer),
      refresh: (_, { refreshToken }) => refresh(refreshToken),
    },
  },
  context: (request) => ({ bearer: request.headers.authorization }),
  jit: 1,
});
await app.listen({ port, host: "127.0.0.1" });
