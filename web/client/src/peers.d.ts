// What the package uses of its optional peer, so that it builds without it.
declare module "@apollo/client/link/http" {
  export class HttpLink {
    constructor(options: { uri: string; fetch: typeof fetch });
  }
}
