import { defineConfig } from "vite";

export default defineConfig({
  // Where the API serves what is built here.
  base: "/explorer/",
  build: {
    outDir: "../../api/static/explorer",
    emptyOutDir: true,
    // A data: address is one more thing that the page's policy would have to allow.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2048,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // A dependency says "use client", which means nothing where there is no server to render on.
      onLog: (level, log, report) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
});
