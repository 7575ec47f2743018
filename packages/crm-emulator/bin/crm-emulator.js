#!/usr/bin/env node
// npm links this file when a clone is installed, before `dist` is built; so it must be in the repository.
await import('../dist/cli.js');
