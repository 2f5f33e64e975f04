// The files that `npm pack` and `dx pack` take, of packages and of trees with generated rules.
//
//   node xtask/pack/compare.mjs --npm PATH/npm-cli.js --dx PATH FOLDER…
//     [--variants 2] [--seed 1] [--synthetic 60] [--jobs 2] [--keep DIR]
//
// Each FOLDER is a node_modules: the packages in it are the sources. Each is packed as it is, and in
// variants: with ignore files, `files`, bundles and links that are chosen at random, by the seed.
// Synthetic trees have files with names that npm treats specially. Compared are names, versions and
// the list of files with sizes and modes. The exit code is 1 where anything differs.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    npm: { type: 'string' },
    dx: { type: 'string' },
    variants: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    synthetic: { type: 'string', default: '60' },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'string' },
  },
});
if (!values.npm || !values.dx) throw new Error('needs --npm and --dx');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'dx-pack-'));

// A small generator with a seed: mulberry32.
function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (share) => next() < share,
    below: (end) => Math.floor(next() * end),
    of: (list) => list[Math.floor(next() * list.length)],
  };
}

function packagesOf(folder) {
  const found = [];
  for (const name of fs.readdirSync(folder)) {
    if (name.startsWith('.')) continue;
    const place = path.join(folder, name);
    if (name.startsWith('@')) found.push(...packagesOf(place));
    else if (fs.existsSync(path.join(place, 'package.json'))) found.push(place);
  }
  return found;
}

// Every path below a folder, without what is below node_modules.
function walk(root, at = '') {
  const found = [];
  for (const entry of fs.readdirSync(path.join(root, at), { withFileTypes: true })) {
    const place = at ? `${at}/${entry.name}` : entry.name;
    if (entry.name === 'node_modules') continue;
    found.push({ place, isFolder: entry.isDirectory() });
    if (entry.isDirectory()) found.push(...walk(root, place));
  }
  return found;
}

function pattern(rng, paths) {
  const { place, isFolder } = rng.of(paths);
  const base = place.split('/').pop();
  const extension = base.includes('.') ? base.slice(base.lastIndexOf('.')) : '.js';
  const forms = [
    place, `/${place}`, base, `**/${base}`, `*${extension}`, `**/*${extension}`,
    `${place.split('/')[0]}/`, `${place.split('/')[0]}/**`, `${place.split('/')[0]}/*`,
    `${base[0]}*`, `?${base.slice(1)}`, `[${base[0]}x]${base.slice(1)}`, `./${place}`, `${base}/`,
    `{${base},nothing}`, base.toUpperCase(), isFolder ? `${place}/**/*` : place,
  ];
  const text = rng.of(forms);
  return rng.chance(0.25) ? `!${text}` : text;
}

function rules(rng, paths) {
  const lines = Array.from({ length: 1 + rng.below(5) }, () => pattern(rng, paths));
  if (rng.chance(0.2)) lines.splice(rng.below(lines.length + 1), 0, rng.of(['# comment', '', '   ', '\\#x', 'x ']));
  return lines.join(rng.chance(0.1) ? '\r\n' : '\n') + (rng.chance(0.8) ? '\n' : '');
}

// Changes a tree by chance; returns what was done.
function vary(rng, root) {
  const paths = walk(root);
  const folders = ['', ...paths.filter((it) => it.isFolder).map((it) => it.place)];
  const file = path.join(root, 'package.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  const done = [];
  const write = (place, text) => {
    fs.writeFileSync(path.join(root, place), text);
    done.push(`${place}: ${JSON.stringify(text)}`);
  };
  if (rng.chance(0.6)) delete manifest.files;
  if (rng.chance(0.5)) manifest.files = Array.from({ length: rng.below(4) }, () => pattern(rng, paths));
  if (rng.chance(0.2)) manifest.main = rng.of(paths).place;
  if (rng.chance(0.2)) manifest.bin = { own: `./${rng.of(paths).place}` };
  if (rng.chance(0.15)) manifest.directories = { bin: rng.of(folders) || '.' };
  if (rng.chance(0.2)) manifest.browser = rng.of(paths).place;
  for (const name of ['.npmignore', '.gitignore']) {
    if (rng.chance(0.5)) write(name, rules(rng, paths));
    const folder = rng.of(folders);
    if (folder && rng.chance(0.3)) write(`${folder}/${name}`, rules(rng, paths));
  }
  if (rng.chance(0.2)) {
    const from = path.join(root, 'link');
    if (!fs.existsSync(from)) fs.symlinkSync(rng.of(paths).place, from);
    done.push('link');
  }
  if (rng.chance(0.3)) {
    const inner = path.join(root, 'node_modules/inner');
    fs.mkdirSync(path.join(inner, 'test'), { recursive: true });
    fs.writeFileSync(path.join(inner, 'package.json'), '{"name":"inner","version":"1.0.0"}');
    fs.writeFileSync(path.join(inner, 'test/a.js'), '');
    fs.writeFileSync(path.join(inner, '.gitignore'), 'test\n');
    manifest.dependencies = { ...manifest.dependencies, inner: '1.0.0' };
    if (rng.chance(0.7)) manifest.bundleDependencies = rng.of([['inner'], true, ['inner', 'missing'], []]);
    done.push(`bundle ${JSON.stringify(manifest.bundleDependencies)}`);
  }
  const { files, main, bin, browser, directories } = manifest;
  done.push(JSON.stringify({ files, main, bin, browser, directories }));
  fs.writeFileSync(file, JSON.stringify(manifest));
  return done;
}

const SPECIAL = [
  'README.md', 'readme', 'Readme.txt', 'README.md~', 'LICENSE', 'LICENCE.txt', 'license.md', 'COPYING', 'CHANGELOG.md', 'HISTORY.md',
  'NOTICE', '.npmrc', '.npmignore.bak', '.DS_Store', 'a.orig', '.a.swp', '._b', 'npm-debug.log', 'package-lock.json', 'yarn.lock',
  'pnpm-lock.yaml', 'bun.lockb', 'bun.lock', 'npm-shrinkwrap.json', '.git/config', '.svn/x', 'CVS/x', '.hg/x', '.lock-wscript', '.wafpickle-1',
  'build/config.gypi', 'config.gypi', 'src/a.js', 'src/a.test.js', 'src/deep/b.js', 'src/deep/README.md', 'src/.npmrc', 'src/LICENSE',
  'lib/index.js', 'lib/package.json', 'dist/index.js', 'dist/index.js.map', 'test/x.js', 'docs/a b.md', 'docs/[x].md', 'docs/ü.md', '.github/a.yml',
  '.eslintrc', 'src/archived-packages/x', 'archived-packages/y', 'core', '*weird', '{brace}.js', 'index.d.ts', 'binding.gyp', 'server.js', '.env',
];

function synthetic(rng, root) {
  fs.mkdirSync(root, { recursive: true });
  const names = SPECIAL.filter(() => rng.chance(0.6));
  for (const name of names) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, name, { mode: rng.chance(0.2) ? 0o755 : 0o644 });
  }
  fs.writeFileSync(path.join(root, 'package.json'), JSON.stringify({ name: 'synthetic', version: '1.0.0' }));
}

function run(program, words, folder, home) {
  const env = {
    PATH: process.env.PATH, HOME: home, npm_config_cache: path.join(home, 'cache'), npm_config_update_notifier: 'false',
    DX_STORE: path.join(home, 'store'), LC_ALL: 'C.UTF-8',
  };
  return new Promise((resolve) => {
    execFile(program, words, { cwd: folder, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') throw error;
      let packed;
      try { packed = JSON.parse(stdout); } catch { /* It failed. */ }
      const one = packed && Object.values(packed)[0];
      resolve(error || !one?.files ? { failed: true, stderr: stderr.slice(0, 300) } : one);
    });
  });
}

function differences(npm, dx) {
  if (npm.failed || dx.failed) {
    return npm.failed === dx.failed ? [] : [`npm ${npm.failed ? `fails: ${npm.stderr}` : 'packs'}, dx ${dx.failed ? `fails: ${dx.stderr}` : 'packs'}`];
  }
  const found = [];
  for (const key of ['id', 'name', 'version', 'unpackedSize', 'entryCount', 'filename']) {
    if (npm[key] !== dx[key]) found.push(`${key}: npm ${npm[key]}, dx ${dx[key]}`);
  }
  const bundled = (it) => JSON.stringify([...(it.bundled ?? [])].sort());
  if (bundled(npm) !== bundled(dx)) found.push(`bundled: npm ${bundled(npm)}, dx ${bundled(dx)}`);
  const list = (it) => it.files.map((file) => `${file.path} ${file.size} ${file.mode.toString(8)}`);
  const [ours, theirs] = [new Set(list(dx)), new Set(list(npm))];
  for (const line of theirs) if (!ours.has(line)) found.push(`npm only: ${line}`);
  for (const line of ours) if (!theirs.has(line)) found.push(`dx only: ${line}`);
  if (found.length === 0 && list(npm).join('\n') !== list(dx).join('\n')) found.push('order of files');
  return found;
}

const tasks = [];
const seed = Number(values.seed);
for (const folder of positionals) {
  for (const source of packagesOf(folder)) {
    for (let variant = 0; variant <= Number(values.variants); variant += 1) tasks.push({ source, variant });
  }
}
for (let number = 0; number < Number(values.synthetic); number += 1) tasks.push({ variant: number });

const counts = { sources: 0, variants: 0, synthetic: 0, same: 0, different: 0, bothFail: 0, files: 0 };
const seenSources = new Set();
async function carryOut({ source, variant }, number) {
  const rng = random(seed * 1_000_003 + number);
  const root = path.join(work, String(number));
  let done = [];
  if (source) {
    fs.cpSync(source, root, { recursive: true, verbatimSymlinks: true });
    if (variant === 0) { if (!seenSources.has(source)) counts.sources += 1; seenSources.add(source); } else { counts.variants += 1; done = vary(rng, root); }
  } else {
    counts.synthetic += 1;
    synthetic(rng, root);
    done = vary(rng, root);
  }
  const words = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const home = path.join(work, 'home');
  const [npm, dx] = [
    await run(process.execPath, [values.npm, ...words], root, home),
    await run(values.dx, words, root, home),
  ];
  const found = differences(npm, dx);
  if (found.length > 0) {
    counts.different += 1;
    console.log(`DIFFERS ${source ?? 'synthetic'} variant ${variant} (task ${number})`);
    for (const line of [...done, ...found].slice(0, 14)) console.log(`    ${line}`);
    if (values.keep) fs.cpSync(root, path.join(values.keep, String(number)), { recursive: true, verbatimSymlinks: true });
  } else if (npm.failed) counts.bothFail += 1;
  else { counts.same += 1; counts.files += npm.files.length; }
  fs.rmSync(root, { recursive: true, force: true });
}

fs.mkdirSync(path.join(work, 'home'));
let next = 0;
await Promise.all(Array.from({ length: Number(values.jobs) }, async () => {
  while (next < tasks.length) { const number = next; next += 1; await carryOut(tasks[number], number); }
}));
fs.rmSync(work, { recursive: true, force: true });
console.log(JSON.stringify(counts));
process.exitCode = counts.different > 0 ? 1 : 0;
