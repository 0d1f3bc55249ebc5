import { defineConfig } from "vite";

export default defineConfig({
  // Relative, so that the page works below any path a proxy may put it at.
  base: "./",
  build: {
    outDir: "../src/parlour/front/pages/room",
    emptyOutDir: true,
    target: "es2022",
    // Everything comes from files of this server: the page's policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
});
