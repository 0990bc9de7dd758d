import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

// Where `npm run dev` finds a chat server; the built page always talks to its own origin.
const server = process.env.CHAT_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  // Relative addresses: the page works under any path of the server.
  base: './',
  plugins: [vue({ features: { optionsAPI: false } })],
  build: {
    // Beside it lie dist/client and dist/.gitkeep, which must survive a build.
    outDir: 'dist/page',
    emptyOutDir: true,
    // A strict Content-Security-Policy refuses data: addresses and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { '/socket.io': { target: server, ws: true } },
  },
});
