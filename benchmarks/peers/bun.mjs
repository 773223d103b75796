// graphql-jit on Bun, with Bun's own HTTP server and SQL client, which prepares its statements. Each
// document is parsed, validated and compiled once. It logs nothing.
import { SQL, serve } from "bun";
import { buildSchema, parse, validate } from "graphql";
import { compileQuery } from "graphql-jit";
import { userOf } from "./token.mjs";

// With its default of 10 connections: 20 are no faster.
const sql = new SQL(process.env.DATABASE_URL);

const schema = buildSchema(`
  type User { id: ID!  username: String!  email: String! }
  type Query { me: User }
`);
schema.getQueryType().getFields().me.resolve = async (_, __, { bearer }) => {
  const [user] = await sql`SELECT id, username, email FROM users WHERE id = ${userOf(bearer)}`;
  return user;
};

const compiled = new Map();

function compile(query) {
  const document = parse(query);
  const errors = validate(schema, document);
  const fresh = errors.length
    ? { query: () => ({ errors }), stringify: JSON.stringify }
    : compileQuery(schema, document, undefined, { customJSONSerializer: true });
  compiled.set(query, fresh);
  return fresh;
}

async function answer(request) {
  const { query, variables } = await request.json();
  const operation = compiled.get(query) ?? compile(query);
  const context = { bearer: request.headers.get("authorization") };
  const result = await operation.query(undefined, context, variables ?? {});
  return new Response(operation.stringify(result), {
    headers: { "Content-Type": "application/json" },
  });
}

serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", routes: { "/graphql": { POST: answer } } });
