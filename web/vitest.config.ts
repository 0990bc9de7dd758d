import { defineConfig } from 'vitest/config';

// Beside vite.config.ts and not in it: the page is built without the packages that its tests need.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts'],
  },
});
