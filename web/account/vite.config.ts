import { defineConfig } from "vite";

export default defineConfig({
  // A proxy may serve the API under a path, so all addresses are relative. All pages are at
  // /account/<page>, beside their files at /account/assets.
  base: "./",
  build: {
    outDir: "../../api/static/account",
    emptyOutDir: true,
    // Do not inline assets: the Content Security Policy would have to allow data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
