#!/usr/bin/env node
// The door of the program: plain JavaScript that any Node can read, so that a Node which is too old for the sources
// (type stripping, node:sqlite, crypto.argon2) says so in one line. Does nothing else.
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  process.stderr.write(
    `Postern needs Node 24.7 or newer (this is ${process.versions.node}); install one, or run through npm after ` +
      '"npm ci", which brings its own on Linux (x64, arm64) and macOS (arm64).\n',
  );
  process.exit(1);
}
if (process.argv[2] !== '--require-node') {
  module.enableCompileCache();
  await import('./main.ts');
}
