#!/usr/bin/env -S MALLOC_ARENA_MAX=2 node --max-semi-space-size=8
// The door of the program: plain JavaScript that any Node can read, so that a Node which is too old for the sources
// (type stripping, node:sqlite, crypto.argon2) hands over to the one that came along, or says so in one line, and so that a
// server gets the manners of one.
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const tooOld = major < 24 || (major === 24 && minor < 7);
const better = tooOld && process.argv[2] !== '--require-node' ? nodeThatCameAlong() : null;
if (better !== null) await handOver(better);
else if (tooOld) {
  process.stderr.write(
    `Postern needs Node 24.7 or newer (this is ${process.versions.node}); install one, or run through npm after ` +
      '"npm ci", which brings its own on Linux (x64, arm64) and macOS (arm64).\n',
  );
  process.exit(1);
} else if (process.argv[2] !== '--require-node') {
  if (process.argv.includes('serve')) settle();
  module.enableCompileCache();
  await import('./main.ts');
}

/**
 * Gives the process what the first line gives who calls this file by its name, where node was called with it: bounds that
 * only a start can set, by another one. A long-lived server of small sessions keeps tens of megabytes that it had for a
 * moment, in V8's young generation and in glibc's arena of each thread. What an operator has chosen stands. Returns where
 * that is done, or cannot be.
 */
function settle() {
  const flag = '--max-semi-space-size=';
  const chosen = [process.env.NODE_OPTIONS ?? '', ...process.execArgv].some((option) => option.includes(flag));
  if (chosen || process.platform !== 'linux' || process.execve === undefined) return;
  const environment = { MALLOC_ARENA_MAX: '2', ...process.env };
  process.execve(
    process.execPath,
    [process.execPath, `${flag}8`, ...process.execArgv, ...process.argv.slice(1)],
    environment,
  );
}

/** The Node of "npm ci", which npm's scripts find by themselves, and cron and service managers do not; null: none but this. */
function nodeThatCameAlong() {
  try {
    const node = realpathSync(fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url)));
    return node === realpathSync(process.execPath) ? null : node;
  } catch {
    return null;
  }
}

/** Ends as the program does that runs on the other Node. */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[signal];
      resolve();
    });
  });
}
