import type { CodegenConfig } from "@graphql-codegen/cli";

/** Beside the types of `codegen.ts`, the hash of each document and a manifest of all. */
const config: CodegenConfig = {
  schema: "../../graphql_schema/schema.graphql",
  documents: ["src/operations.ts"],
  generates: {
    "src/trusted/": {
      preset: "client",
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
      config: { scalars: { DateTime: "string", JSON: "Record<string, unknown>" }, enumsAsTypes: true },
    },
  },
};

export default config;
