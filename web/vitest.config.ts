import { defineConfig } from 'vitest/config';

// Beside vite.config.ts and not in it: the page is built without the packages that its tests need.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts'],
    // Nothing here takes a second by itself; a busy machine may take its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
