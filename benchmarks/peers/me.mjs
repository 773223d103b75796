// What both Node peers do: verify the token and read the row.
import jsonwebtoken from "jsonwebtoken";
import pg from "pg";

export const port = Number(process.env.PORT);
export const typeDefs = `
  type User { id: ID!  username: String!  email: String! }
  type Query { me: User }
`;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

export async function me(authorization) {
  const token = authorization.slice("Bearer ".length);
  const claims = jsonwebtoken.verify(token, process.env.SECRET_KEY, {
    algorithms: ["HS256"],
    audience: "gatehouse",
  });
  const { rows } = await pool.query({
    name: "me",
    text: "SELECT id, username, email FROM users WHERE id = $1",
    values: [claims.sub],
  });
  return rows[0];
}
