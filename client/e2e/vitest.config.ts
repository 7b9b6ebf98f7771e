import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    include: ["*.e2e.ts"],
    environment: "node",
    // The tests of a file are the steps of one person: after one that fails the rest says nothing.
    bail: 1,
    // Each starts a service; two at a time would wait for each other.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
