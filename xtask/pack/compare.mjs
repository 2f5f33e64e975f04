// The files that `npm pack` and `dx pack` take, of packages and of trees with generated rules.
//
//   node xtask/pack/compare.mjs --npm PATH/npm-cli.js --dx PATH FOLDER…
//     [--variants 2] [--seed 1] [--synthetic 60] [--jobs 2] [--keep DIR] [--in-process]
//
// Each FOLDER is a node_modules: the packages in it are the sources. Each is packed as it is, and in
// variants: with ignore files, `files`, bundles and links that are chosen at random, by the seed.
// Synthetic trees have files with names that npm treats specially. Compared are names, versions and
// the list of files with sizes and modes. With --in-process, npm's own libraries are called in this
// process in place of `npm pack`, many times faster. The exit code is 1 where anything differs.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
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
    'in-process': { type: 'boolean', default: false },
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
  if (rng.chance(0.15)) manifest.directories = { bin: rng.of(folders.slice(1).concat('bin')) };
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
  if (rng.chance(0.1)) manifest.directories = { ...manifest.directories, bin: rng.of(['.', './', '']) };
  if (rng.chance(0.1)) manifest.bin = rng.of(['./cli.js', 'src', 'nothing.js', { one: 'SRC/A.JS', two: 'lib/../server.js' }]);
  if (rng.chance(0.1)) manifest.main = rng.of(['.', './src', 'lib/', 'index', './/server.js', '../x.js', '.env']);
  if (rng.chance(0.1)) manifest.browser = rng.of([{ './src/a.js': './dist/index.js' }, false, './dist']);
  if (rng.chance(0.1)) manifest.files = [...(manifest.files ?? []), ...rng.of([['.'], ['*'], ['**/*.js'], ['!src'], ['src', '!src/**/*.test.js'], ['/'], [''], ['..'], ['node_modules']])];
  if (rng.chance(0.12)) deepBundle(rng, root, manifest, done);
  if (rng.chance(0.12)) workspaces(rng, root, manifest, done);
  if (rng.chance(0.1)) nestedPackage(rng, root, done);
  const { files, main, bin, browser, directories } = manifest;
  done.push(JSON.stringify({ files, main, bin, browser, directories }));
  fs.writeFileSync(file, JSON.stringify(manifest));
  return done;
}

// Writes files, each with its own path as text.
function plant(root, places) {
  for (const [place, text] of Object.entries(places)) {
    const file = path.join(root, place);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (!fs.existsSync(file)) fs.writeFileSync(file, text ?? place);
  }
}

// A bundled package whose dependencies lie below it, beside it, or behind a link.
function deepBundle(rng, root, manifest, done) {
  const below = rng.chance(0.5) ? 'node_modules/outer/node_modules/deep' : 'node_modules/deep';
  const outer = { name: 'outer', version: '1.0.0', dependencies: { deep: '1.0.0' }, optionalDependencies: { '@s/far': '1.0.0' } };
  if (rng.chance(0.3)) outer.files = rng.of([['lib'], ['nothing'], ['*.js', '!index.js']]);
  if (rng.chance(0.3)) outer.bundleDependencies = ['deep'];
  plant(root, {
    'node_modules/outer/package.json': JSON.stringify(outer), 'node_modules/outer/index.js': undefined, 'node_modules/outer/lib/x.js': undefined,
    'node_modules/outer/.npmignore': rng.of(['lib\n', '*.js\n', '']), 'node_modules/outer/test/t.js': undefined, 'node_modules/outer/.npmrc': undefined,
    [`${below}/package.json`]: '{"name":"deep","version":"1.0.0","dependencies":{"outer":"*"}}', [`${below}/a.js`]: undefined, [`${below}/.gitignore`]: 'a.js\n',
    'node_modules/@s/far/package.json': '{"name":"@s/far","version":"1.0.0"}', 'node_modules/@s/far/package-lock.json': '{}', 'node_modules/@s/far/core': undefined,
    'node_modules/stray/package.json': '{"name":"stray","version":"1.0.0"}', 'node_modules/.package-lock.json.old': undefined,
  });
  manifest.dependencies = { ...manifest.dependencies, outer: '1.0.0' };
  if (rng.chance(0.4)) {
    plant(root, { 'linked/package.json': '{"name":"linked","version":"1.0.0","dependencies":{"deep":"1.0.0"}}', 'linked/l.js': undefined, 'linked/.gitignore': 'nothing\n' });
    if (!fs.existsSync(path.join(root, 'node_modules/linked'))) fs.symlinkSync('../linked', path.join(root, 'node_modules/linked'));
    manifest.dependencies.linked = 'file:linked';
  }
  manifest[rng.chance(0.5) ? 'bundleDependencies' : 'bundledDependencies'] = rng.of([true, ['outer'], ['outer', 'linked', '@s/far'], ['deep'], { outer: '1' }, 'outer', ['stray']]);
  done.push(`deep bundle in ${below}, ${JSON.stringify([manifest.bundleDependencies, manifest.bundledDependencies, outer.files])}`);
}

// Workspaces in the folder, whose files belong to the package unless a rule leaves them out.
function workspaces(rng, root, manifest, done) {
  manifest.workspaces = rng.of([['packages/*'], { packages: ['packages/*'] }, ['packages/a', 'src']]);
  plant(root, {
    'packages/a/package.json': '{"name":"a","version":"1.0.0","files":["only.js"]}', 'packages/a/only.js': undefined, 'packages/a/other.js': undefined,
    'packages/a/.npmignore': 'only.js\n', 'packages/a/README.md': undefined, 'packages/a/node_modules/x/package.json': '{"name":"x","version":"1.0.0"}',
    'packages/b/package.json': '{"name":"b","version":"1.0.0"}', 'packages/b/.gitignore': '*.js\n', 'packages/b/i.js': undefined,
  });
  done.push(`workspaces ${JSON.stringify(manifest.workspaces)}`);
}

// A folder with a package.json of its own, `files` in it, and names that npm never packs.
function nestedPackage(rng, root, done) {
  const at = rng.of(['lib', 'src/deep', 'dist', 'inner']);
  if (fs.existsSync(path.join(root, at)) && !fs.statSync(path.join(root, at)).isDirectory()) return;
  plant(root, {
    [`${at}/package.json`]: '{"name":"n","files":["kept"],"main":"m.js"}', [`${at}/kept/k.js`]: undefined, [`${at}/m.js`]: undefined, [`${at}/node_modules/y/y.js`]: undefined,
    [`${at}/core/c.js`]: undefined, [`${at}/x.orig`]: undefined, [`${at}/.DS_Store`]: undefined, [`${at}/LICENSE`]: undefined, [`${at}/npm-shrinkwrap.json`]: '{}',
    [`${at}/.npmignore`]: rng.of(['k*\n', '!x.orig\n', '!core\n/core\n', '\n']), [`${at}/.gitignore`]: 'm.js\n', [`${at}/CVS`]: undefined,
  });
  done.push(`package in ${at}`);
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

// What `npm pack --dry-run --json` does, in this process.
const npms = values['in-process'] ? createRequire(fs.realpathSync(values.npm)) : undefined;
async function packedByNpm(folder) {
  const [pack, pacote, Arborist] = ['libnpmpack', 'pacote', '@npmcli/arborist'].map((name) => npms(name));
  const { getContents } = npms('../lib/utils/tar.js');
  const options = {
    Arborist, ignoreScripts: true, dryRun: true, prefix: folder, allowDirectory: 'all', _isRoot: true,
    cache: path.join(work, 'home/cache'),
  };
  const spec = npms('npm-package-arg')(folder);
  try {
    const manifest = await pacote.manifest(spec, options);
    if (!manifest._id) throw new Error('no name and version');
    return await getContents(manifest, await pack(folder, options));
  } catch (error) {
    return { failed: true, stderr: String(error).slice(0, 300) };
  }
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
    npms ? await packedByNpm(root) : await run(process.execPath, [values.npm, ...words], root, home),
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
