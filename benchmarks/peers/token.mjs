// The access token, which every JavaScript peer verifies in the same way.
import jsonwebtoken from "jsonwebtoken";

const { SECRET_KEY } = process.env;

export function userOf(authorization) {
  const token = authorization.slice("Bearer ".length);
  return jsonwebtoken.verify(token, SECRET_KEY, { algorithms: ["HS256"], audience: "gatehouse" }).sub;
}

export function accessToken(userId) {
  return jsonwebtoken.sign({ sub: userId }, SECRET_KEY, { audience: "gatehouse", expiresIn: 1800 });
}
