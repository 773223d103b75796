export { GatehouseError } from "./graphql.js";
export { createSession } from "./session.js";
export type {
  Session,
  SessionOptions,
  SessionState,
  Status,
  TokenAnswer,
  User,
} from "./types.js";
