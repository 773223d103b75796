import { defineConfig } from "vite";

export default defineConfig({
  // A proxy may serve the API under a path, so all addresses are relative.
  base: "./",
  experimental: {
    // The page is at /graphql, and its files are at /explorer/assets.
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `explorer/${file}` : undefined),
  },
  build: {
    outDir: "../../api/static/explorer",
    emptyOutDir: true,
    // Do not inline assets: the Content Security Policy would have to allow data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2048,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Dependencies contain "use client", which has no meaning without server rendering.
      onLog: (level, log, report) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
});
