// What `npm view`, `search`, `diff`, `pkg` and `query` print, beside dx, of one registry and project.
//
//   dx-registry test --upstream none -- node xtask/pack/ask.mjs --npm PATH/npm-cli.js --dx PATH FOLDER
//     [--only WORD] [--limit 40]
//
// FOLDER is a node_modules: so many of its packages are published first, and some with several
// versions that are made here. Compared are exit codes (0 or not) and standard output: as JSON where
// both print it. The exit code is 1 where anything differs.
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    npm: { type: 'string' }, dx: { type: 'string' }, only: { type: 'string', default: '' },
    limit: { type: 'string', default: '40' },
  },
});
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'dx-ask-'));
const env = { ...process.env, LC_ALL: 'C.UTF-8', NO_COLOR: '1', npm_config_update_notifier: 'false', npm_config_cache: path.join(work, 'cache'), DX_STORE: path.join(work, 'store'), DX_BACKGROUND: '0' };

function write(root, files) {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, typeof text === 'string' ? text : `${JSON.stringify(text, null, 2)}\n`);
  }
}

function npm(words, cwd) {
  return execFileSync(process.execPath, [values.npm, ...words], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

// Packages with several versions.
const long = Array.from({ length: 40 }, (_, n) => `line ${n}`);
const versions = {
  '1.0.0': { 'index.js': 'one\ntwo\nthree\n', 'lib/a.js': `${long.join('\n')}\n`, 'only-old.txt': 'old\n', 'README.md': '# many\n\nfirst\n' },
  '1.1.0': { 'index.js': 'one\n  two\nthree\nfour\n', 'lib/a.js': `${long.map((l, n) => (n % 13 === 5 ? `${l}!` : l)).join('\n')}\n`, 'only-new.txt': 'new\n', 'README.md': '# many\n\nsecond\n' },
  '2.0.0-beta.1': { 'index.js': 'one\n', 'bin/x.bin': 'a\0b\n', 'README.md': '# many\n' },
  '1.2.0': { 'index.js': 'one', 'lib/a.js': `${long.join('\n')}\n`, 'bin/x.bin': 'a\0c\n', 'deep/er/file.js': '1\n', 'README.md': '# many\n' },
};
const times = Object.keys(versions);
for (const [number, version] of times.entries()) {
  const root = path.join(work, `many-${version}`);
  write(root, {
    'package.json': {
      name: '@ask/many', version, description: `Many versions: ${version}`, keywords: ['many', 'ask', 'versions'], license: 'MIT',
      homepage: 'https://many.example/', bugs: { url: 'https://many.example/bugs' }, repository: { type: 'git', url: 'git+https://git.example/ask/many.git' },
      author: 'Ann Ask <ann@ask.example> (https://ask.example)', contributors: ['Bob <bob@ask.example>', { name: 'Cy' }], engines: { node: '>=18' },
      dependencies: number > 0 ? { ms: '^2.0.0', '@ask/other': `^${number}.0.0` } : undefined, bin: number > 1 ? { many: 'index.js', other: 'index.js' } : undefined,
      exports: { '.': './index.js', './a': './lib/a.js' }, 'dotted.key': { 'inner.key': [1, { a: 'x' }, { a: 'y' }] }, flag: false, nothing: null,
    },
    ...versions[version],
  });
  npm(['publish', '--access=public', ...(version.includes('-') ? ['--tag=next'] : [])], root);
}
npm(['dist-tag', 'add', '@ask/many@1.0.0', 'old'], work);
npm(['deprecate', '@ask/many@1.0.0', 'too old'], work);
const published = ['@ask/many'];
for (const name of fs.readdirSync(positionals[0])) {
  if (published.length > Number(values.limit)) break;
  if (/^[.@]/.test(name)) continue;
  const root = path.join(work, 'copy', name);
  fs.cpSync(path.join(positionals[0], name), root, { recursive: true, filter: (from) => !from.includes(`${name}/node_modules`) });
  if (!fs.existsSync(path.join(root, 'package.json'))) continue;
  try { npm(['publish', '--ignore-scripts', '--tag=latest'], root); published.push(name); } catch { /* A private one. */ }
}

// A project with some of them installed.
const project = path.join(work, 'project');
write(project, { 'package.json': { name: 'project', version: '1.0.0', description: 'p', scripts: { a: 'b', 'x.y': 'z' }, keywords: ['k', 'l'], dependencies: { '@ask/many': '1.0.0' }, workspaces: ['packages/*'] }, 'index.js': '1\n', 'packages/w/package.json': { name: 'w', version: '1.0.0' }, 'packages/v/package.json': { name: 'v', version: '2.0.0', scripts: { t: 'u' } } });
npm(['install', '--ignore-scripts', '--no-audit', '--no-fund'], project);
fs.writeFileSync(path.join(project, 'node_modules/@ask/many/index.js'), 'one\ntwo\nTHREE\n');

const some = published.slice(1, 9);
const cases = [];
const add = (...all) => cases.push(...all);
for (const name of some) {
  add(`view ${name} --json`, `view ${name} name version dependencies --json`, `view ${name} dist.shasum`, `view ${name} maintainers`, `view ${name} engines license`);
}
for (const name of published) add(`view ${name} version`, `view ${name} --json name`);
const m = '@ask/many';
for (const field of ['', 'versions', 'time.created.length', 'dist-tags', 'dist-tags.latest', 'dist-tags.none', 'name', 'description', 'keywords', 'keywords[1]', 'keywords[9]', 'author', 'author.name', 'contributors', 'contributors.name', 'contributors[0].email', 'bin', 'bin.many', 'exports', 'exports[.]', 'dotted.key', 'dotted[key]', 'flag', 'nothing', 'missing', 'repository.url', 'bugs', 'engines.node', 'dependencies.ms', 'dist.tarball', 'dist.fileCount', 'dist', 'readme', 'deprecated', '_id', 'license homepage', 'name version', 'version dist-tags.latest missing', '_hasShrinkwrap', 'directories', 'exports.import']) {
  for (const spec of [m, `${m}@1.0.0`, `${m}@^1`, `${m}@next`, `${m}@>=1.1`]) {
    if (field === 'time.created.length' || (field === '' && spec !== m)) continue;
    add(`view ${spec} ${field}`, `view ${spec} ${field} --json`);
  }
}
add('view', 'view --json', 'view . version', 'view missing-one', 'view missing-one --json', `view ${m}@9`, `view ${m}@9 --json`, `view ${m}@9 version`, `view ${m}@none version --json`, `info ${m} version`, `show ${m} version`, 'view -w w name', 'view file:./x', 'view @bad@@x', `view ${m}@* version --json`, `view "${m}@>1" version name`);
for (const words of ['many', 'many ask', 'keywords:many', 'nothing-at-all-here', some[0], some[1], '@ask', 'author:ann', '/many/', 'm']) {
  for (const flags of ['--json', '', '--parseable', '--json --searchlimit=2', '--no-description', '--json --long', '--searchexclude=many --json', '--searchopts=from=1 --json', '--color=false']) add(`search ${words} ${flags}`);
}
add('search', 'search --json', 's many --json', 'find many --json');
for (const flags of ['', '--diff-name-only', '--diff-unified=0', '--diff-unified=1', '--diff-ignore-all-space', '--diff-no-prefix', '--diff-src-prefix=x/ --diff-dst-prefix=y/', '--diff-text', 'index.js', './lib', 'lib/ README.md', 'missing.js', '--diff-name-only lib', '"*.js"', '--json']) {
  for (const specs of [[`${m}@1.0.0`, `${m}@1.1.0`], [`${m}@1.1.0`, `${m}@1.2.0`], [`${m}@1.2.0`, `${m}@next`], [`${m}@old`, `${m}@latest`], ['1.0.0', '1.1.0'], [`${m}@1.0.0`, 'file:./packages/w'], ['file:./packages/w', 'file:./packages/v'], [`${m}`, ''], [`${m}@1.1.0`, '']]) {
    add(`diff ${specs.filter(Boolean).map((spec) => `--diff=${spec}`).join(' ')} ${flags}`);
  }
}
add('diff --diff=a --diff=b --diff=c', 'diff --diff=missing-one@1 --diff=missing-one@2', 'diff -w w --diff=1.0.0', `diff --diff=${m}@9 --diff=${m}@1.0.0`);
for (const words of ['', 'name', 'name version', 'scripts', 'scripts.a', 'scripts[x.y]', 'scripts["x.y"]', 'keywords[0]', 'keywords[]', 'keywords[9]', 'missing', 'missing.deep', 'dependencies', 'name -w w', 'name -ws', 'scripts -ws', 'name --json', 'name version --json', 'workspaces[0]', 'keywords.0']) add(`pkg get ${words}`);
for (const query of ['*', ':root', ':root > *', '#ms', '[name=ms]', ':attr(scripts, [a])', '.workspace', '.prod', ':is(.prod,.dev)', ':not(.workspace)', ':semver(^1)', '[version^="1."]', ':type(registry)', ':empty', ':missing', ':private', ':root *', ':outdated', ':deduped', ':extraneous', ':invalid', '* ~ *', ':scope > *']) add([`query`, query], [`query`, query, '--expect-results'], ['query', query, '--expect-result-count=1']);

function run(side, words) {
  const [program, first] = side === 'npm' ? [process.execPath, [values.npm]] : [values.dx, []];
  return new Promise((resolve) => {
    execFile(program, [...first, ...words], { cwd: project, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => resolve({ failed: Boolean(error), stdout, stderr }));
  });
}

function words(text) {
  return Array.isArray(text) ? text : [...text.matchAll(/"([^"]*)"(\S*)|(\S+)/g)].map(([, quoted, rest, plain]) => plain ?? quoted + rest);
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value && typeof value === 'object') return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
  return value;
}

function comparable({ failed, stdout }) {
  const text = stdout.trim().replaceAll(fs.realpathSync(work), '<work>').replace(/^published .*$/m, 'published <time>');
  try {
    const json = JSON.parse(text);
    // The text of an error is each program's own.
    if (json && json.error) return { failed, error: true };
    return { failed, json: sorted(json) };
  } catch {
    return { failed, text: failed ? '' : text };
  }
}

const counts = {};
let different = 0;
for (const one of cases) {
  const list = words(one);
  if (values.only && list[0] !== values.only) continue;
  const [left, right] = await Promise.all([run('npm', list), run('dx', list)]);
  const [npms, dxs] = [comparable(left), comparable(right)];
  const count = (counts[list[0]] ??= { same: 0, different: 0 });
  if (JSON.stringify(npms) === JSON.stringify(dxs)) { count.same += 1; continue; }
  count.different += 1;
  different += 1;
  console.log(`DIFFERS ${list.join(' ')}`);
  const [a, b] = [npms, dxs].map((it) => (it.json !== undefined ? JSON.stringify(it.json, null, 1) : it.text ?? 'error').split('\n'));
  if (npms.failed !== dxs.failed) console.log(`    npm ${npms.failed ? `fails: ${left.stderr.slice(0, 200)}` : 'succeeds'}, dx ${dxs.failed ? `fails: ${right.stderr.slice(0, 200)}` : 'succeeds'}`);
  for (const line of a.filter((it) => !b.includes(it)).slice(0, 4)) console.log(`    npm: ${line.slice(0, 160)}`);
  for (const line of b.filter((it) => !a.includes(it)).slice(0, 4)) console.log(`    dx:  ${line.slice(0, 160)}`);
}
fs.rmSync(work, { recursive: true, force: true });
console.log(JSON.stringify(counts));
process.exitCode = different > 0 ? 1 : 0;
