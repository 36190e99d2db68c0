import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// `vite` for work on the console: the API of a `cordon up` on its usual port answers under the same origin.
export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': 'http://localhost:7800', '/oauth': 'http://localhost:7800' } },
  build: {
    target: 'es2024',
    // Inline module preloading would need a script that the content security policy refuses.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_600,
  },
});
