// A refresh with the writes of Gatehouse's: in one transaction, a guarded UPDATE of the session and
// an INSERT of the event. The statements are named, and so prepared.
import { createHash, randomBytes } from "node:crypto";
import { pool } from "./me.mjs";
import { accessToken, userOf } from "./token.mjs";

export const refreshTypeDefs = `
  type Token { accessToken: String!  refreshToken: String! }
  type Mutation { startSession: Token!  refresh(refreshToken: String!): Token! }
`;

export async function createTables() {
  await pool.query(`
    CREATE TABLE IF NOT EXISTS peer_sessions (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL REFERENCES users,
      refresh_hash text NOT NULL UNIQUE,
      last_used_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL DEFAULT now() + interval '14 days'
    );
    CREATE TABLE IF NOT EXISTS peer_events (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      user_id uuid NOT NULL,
      session_id uuid NOT NULL,
      kind text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS peer_events_user_id ON peer_events (user_id, id);
  `);
}

export async function startSession(authorization) {
  const userId = userOf(authorization);
  const refreshToken = newToken();
  await pool.query("INSERT INTO peer_sessions (user_id, refresh_hash) VALUES ($1, $2)", [
    userId,
    hash(refreshToken),
  ]);
  return { accessToken: accessToken(userId), refreshToken };
}

export async function refresh(used) {
  const refreshToken = newToken();
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const { rows } = await client.query({
      name: "rotate",
      text: `UPDATE peer_sessions SET refresh_hash = $1, last_used_at = now(), expires_at = now() + interval '14 days'
        WHERE refresh_hash = $2 AND expires_at > now() RETURNING id, user_id`,
      values: [hash(refreshToken), hash(used)],
    });
    if (rows.length === 0) throw new Error("The refresh token is invalid.");
    const [session] = rows;
    await client.query({
      name: "record",
      text: "INSERT INTO peer_events (user_id, session_id, kind) VALUES ($1, $2, 'REFRESHED')",
      values: [session.user_id, session.id],
    });
    await client.query("COMMIT");
    return { accessToken: accessToken(session.user_id), refreshToken };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

const newToken = () => randomBytes(32).toString("base64url");
const hash = (token) => createHash("sha256").update(token).digest("hex");
