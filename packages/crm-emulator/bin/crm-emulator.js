#!/usr/bin/env node
// A file that is there before anything is built: npm links the commands of a clone when it installs.
await import('../dist/cli.js');
