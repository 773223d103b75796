import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  // A proxy may serve the API under a path, so all addresses are relative. All pages are at
  // /account/<page>, beside their files at /account/assets.
  base: "./",
  resolve: {
    // The package's source, so that it need not be built first.
    alias: {
      "@gatehouse/client": fileURLToPath(new URL("../client/src/index.ts", import.meta.url)),
    },
  },
  build: {
    outDir: "../../api/static/account",
    emptyOutDir: true,
    // Do not inline assets: the Content Security Policy would have to allow data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
