import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = process.env.KARYAKSHAM_URL ?? "http://127.0.0.1:8000";
const proxied = ["/graphql", "/uploads", "/downloads", "/healthz", "/readyz"];

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: Object.fromEntries(proxied.map((path) => [path, { target: gateway, ws: path === "/graphql" }])),
  },
  build: {
    // The page is served with `default-src 'self'`, so nothing may become a data: address.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "editor", test: /node_modules\/(@codemirror|@lezer|style-mod|w3c-keyname|crelt)/ },
            { name: "plot", test: /node_modules\/uplot/ },
          ],
        },
      },
    },
  },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
    reporters: ["default"],
  },
});
