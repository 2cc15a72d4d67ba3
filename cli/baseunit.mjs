#!/usr/bin/env node
// Compiles the sources when they changed (a user's definition is one of them), then runs the command line. `start` also
// installs what is missing, so that it works on a fresh checkout.
import { build, prepare } from '../scripts/prepare.mjs';

if (process.argv[2] === 'start') await prepare('start');
else build();
process.setSourceMapsEnabled(true);
const { main } = await import('../dist/cli/main.js');
await main(process.argv);
