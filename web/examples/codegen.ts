import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../graphql_schema/schema.graphql",
  documents: ["src/*.ts"],
  generates: {
    "src/gql/": {
      preset: "client",
      config: { scalars: { DateTime: "string", JSON: "Record<string, unknown>" }, enumsAsTypes: true },
    },
    // The preset generates only the types that documents use, and no document uses ErrorCode.
    "src/gql/enums.ts": {
      plugins: ["typescript"],
      config: { onlyEnums: true, enumsAsTypes: true },
    },
  },
};

export default config;
