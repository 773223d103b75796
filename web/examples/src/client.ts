import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { Kind, type OperationTypeNode } from "graphql";

/** Execute an operation with any of the clients. Rejects with an ApiError. */
export type Execute = <Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  accessToken?: string,
) => Promise<Data>;

export function authorization(accessToken: string | undefined): Record<string, string> {
  return accessToken ? { Authorization: `Bearer ${accessToken}` } : {};
}

export function operationType(
  document: TypedDocumentNode<unknown, never>,
): `${OperationTypeNode}` {
  const operation = document.definitions.find(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  if (!operation) throw new Error("The document has no operation.");
  return operation.operation;
}
