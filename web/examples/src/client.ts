import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { Kind, type OperationTypeNode } from "graphql";

/** How the program asks, whichever client is behind it. Rejects with a Refusal. */
export type Ask = <Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  accessToken?: string,
) => Promise<Data>;

export function authorization(accessToken: string | undefined): Record<string, string> {
  return accessToken ? { Authorization: `Bearer ${accessToken}` } : {};
}

export function kindOf(document: TypedDocumentNode<unknown, never>): `${OperationTypeNode}` {
  const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (!operation) throw new Error("The document has no operation.");
  return operation.operation;
}
