#!/usr/bin/env node
// Starts the dx of this platform, which lies in a package of its own beside this one.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { optionalDependencies = {} } = require('../package.json');

const { platform, arch } = process;
const file = platform === 'win32' ? 'dx.exe' : 'dx';

// Where a manager installs the packages of both C libraries, that of this system is taken.
function isMusl() {
  if (platform !== 'linux') return false;
  process.report.excludeNetwork = true;
  return !process.report.getReport().header.glibcVersionRuntime;
}

function findBinary() {
  const own = `-${platform}-${arch}`;
  const wanted = Object.keys(optionalDependencies).filter((name) =>
    [own, `${own}-gnu`, `${own}-musl`].some((end) => `-${name.split('/').pop()}`.endsWith(end)));
  const found = [];
  for (const name of wanted) {
    try {
      const manifest = require.resolve(`${name}/package.json`);
      found.push({ name, binary: path.join(path.dirname(manifest), 'bin', file) });
    } catch {
      // Not installed: it is for another system.
    }
  }
  if (found.length > 1) {
    const suffix = isMusl() ? '-musl' : '-gnu';
    found.sort((one, other) => other.name.endsWith(suffix) - one.name.endsWith(suffix));
  }
  if (found.length > 0) return found[0].binary;
  const hint = wanted.length > 0
    ? `The package ${wanted.join(' or ')} has it, and is not installed. Install again without `
      + '--omit=optional or --no-optional, on this machine rather than on another system.'
    : 'There is none for it.';
  console.error(`error: dx for ${platform} on ${arch} was not found. ${hint}`);
  process.exit(1);
}

// Some managers drop the executable bit.
function makeExecutable(binary) {
  if (platform === 'win32') return;
  try {
    fs.accessSync(binary, fs.constants.X_OK);
  } catch {
    fs.chmodSync(binary, 0o755);
  }
}

const binary = findBinary();
const words = process.argv.slice(2);
makeExecutable(binary);

// Newer versions of Node become dx. Older ones, and Windows, wait for it.
if (typeof process.execve === 'function' && platform !== 'win32') {
  process.execve(binary, [binary, ...words], process.env);
}
const child = require('node:child_process').spawn(binary, words, { stdio: 'inherit' });
// The terminal sends Ctrl-C to both.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`error: ${binary}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (!signal) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
