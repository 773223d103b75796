import { defineConfig } from "vite";

export default defineConfig({
  // The path where the API serves the built files.
  base: "/explorer/",
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
