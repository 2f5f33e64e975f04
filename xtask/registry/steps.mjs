// What each client does with a registry, in order: the words of its command, the exit code that is right, and whether its output
// is JSON to compare. A client without such a command has no words there.
import fs from 'node:fs'
import path from 'node:path'

const MANIFEST = { name: 'project', version: '1.0.0', private: true, dependencies: { 'up-0': '^1.0.0', '@up/scoped': '^1.0.0', 'up-command': '^1.0.0', 'up-vulnerable': '1.0.0' } }
const MODULES = { npm: 'up-0', pnpm: 'up-0', yarn: 'up-0', bun: 'up-0', yarn1: 'up-0' }

const all = words => ({ npm: words, pnpm: words, yarn: words, bun: words, yarn1: words })

/** The steps of one client; `world` keeps what a step learns for later ones. */
export function steps (client) {
  const c = client.name
  const scoped = `@own/${c}-tool`
  const plain = `${c}-tool`
  const project = () => client.project('project', MANIFEST)
  const keep = () => path.join(client.folder, 'project')
  const tool = (name, version, more = {}) => async () => {
    const manifest = { name, version, description: 'a tool', license: 'MIT', main: 'index.js', publishConfig: { access: 'public' }, ...more }
    const folder = client.project(`tool-${name.replace('/', '+')}`, manifest)
    // Yarn publishes only projects that it has installed.
    if (c === 'yarn') {
      await client.run(['install'], folder)
    }
    return folder
  }
  const fresh = manifest => () => {
    fs.rmSync(path.join(client.folder, 'fresh'), { recursive: true, force: true })
    return client.project('fresh', manifest)
  }
  const without = folder => { fs.rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true }); return folder }
  const has = name => folder => fs.existsSync(path.join(folder, 'node_modules', name, 'package.json')) ? undefined : `${name} is not installed`
  const publish = { npm: ['publish'], pnpm: ['publish', '--no-git-checks'], yarn: ['npm', 'publish'], bun: ['publish'], yarn1: ['publish', '--non-interactive'] }
  const tagged = { npm: [...publish.npm, '--tag', 'next'], pnpm: [...publish.pnpm, '--tag', 'next'], yarn: [...publish.yarn, '--tag', 'next'], bun: [...publish.bun, '--tag', 'next'], yarn1: [...publish.yarn1, '--tag', 'next'] }
  const view = (name, field) => ({
    npm: ['view', name, ...field ? [field] : [], '--json'], pnpm: ['view', name, ...field ? [field] : [], '--json'], bun: ['info', name, ...field ? [field] : [], '--json'],
    yarn: ['npm', 'info', name, ...field ? ['--fields', field] : [], '--json'], yarn1: ['info', name, ...field ? [field] : [], '--json'],
  })
  const list = [
    { id: 'install', words: { ...all(['install']) }, in: project, check: has(MODULES[c]) },
    { id: 'install from the lockfile', in: () => without(keep()), check: has(MODULES[c]), words: { npm: ['ci'], pnpm: ['install', '--frozen-lockfile'], yarn: ['install', '--immutable'], bun: ['install', '--frozen-lockfile'], yarn1: ['install', '--frozen-lockfile'] } },
    { id: 'add a version', in: keep, check: has('up-3'), words: all(['add', 'up-3@1.0.0']) },
    { id: 'outdated', in: keep, code: { npm: 1, pnpm: 1, bun: 0, yarn1: 1 }, words: { npm: ['outdated', '--json'], pnpm: ['outdated', '--format', 'json'], bun: ['outdated'], yarn1: ['outdated', '--json'] }, json: true },
    { id: 'update', in: keep, words: { npm: ['update'], pnpm: ['update'], yarn: ['up', 'up-3'], bun: ['update'], yarn1: ['upgrade'] } },
    { id: 'view', in: keep, words: view('up-1'), json: true },
    { id: 'view one field', in: keep, words: view('up-1', 'versions'), json: true },
    { id: 'view with a scope', in: keep, words: view('@up/scoped', 'dist-tags'), json: true },
    { id: 'view what is not there', in: keep, code: { npm: 'fails', pnpm: 'fails', yarn: 'fails', bun: 'fails', yarn1: 0 }, words: view('@own/nothing') },
    { id: 'whoami', in: keep, words: { npm: ['whoami'], pnpm: ['whoami'], yarn: ['npm', 'whoami'], bun: ['pm', 'whoami'] }, text: true },
    { id: 'ping', in: keep, words: { npm: ['ping', '--json'], pnpm: ['ping'] } },
    { id: 'search', in: keep, words: { npm: ['search', 'up-vulnerable', '--json'], pnpm: ['search', 'up-vulnerable', '--json'] }, json: true },
    { id: 'publish', in: tool(scoped, '1.0.0'), words: publish },
    { id: 'publish it again', in: tool(scoped, '1.0.0'), words: publish, code: 'fails' },
    { id: 'publish with a tag', in: tool(scoped, '1.1.0'), words: tagged },
    { id: 'publish without a scope', in: tool(plain, '1.0.0', { scripts: { test: 'true' }, bin: { [plain]: './index.js' }, dependencies: { 'up-30': '^1.0.0' } }), words: publish },
    { id: "publish an upstream's name", in: tool('up-5', '9.0.0'), words: publish, code: 'fails' },
    { id: 'view what was published', in: keep, words: view(scoped), json: true },
    { id: 'search for it', in: keep, words: { npm: ['search', plain, '--json'], pnpm: ['search', plain, '--json'] }, json: true },
    { id: 'install what was published', in: fresh({ name: 'fresh', version: '1.0.0', dependencies: { [scoped]: 'next', [plain]: '^1.0.0' } }), check: has(scoped), words: all(['install']) },
    { id: 'dist-tag add', in: keep, words: { npm: ['dist-tag', 'add', `${scoped}@1.0.0`, 'stable'], pnpm: ['dist-tag', 'add', `${scoped}@1.0.0`, 'stable'], yarn: ['npm', 'tag', 'add', `${scoped}@1.0.0`, 'stable'], yarn1: ['tag', 'add', `${scoped}@1.0.0`, 'stable'] } },
    { id: 'dist-tag ls', in: keep, text: true, words: { npm: ['dist-tag', 'ls', scoped], pnpm: ['dist-tag', 'ls', scoped], yarn: ['npm', 'tag', 'list', scoped, '--json'], yarn1: ['tag', 'list', scoped] } },
    { id: 'dist-tag rm', in: keep, words: { npm: ['dist-tag', 'rm', scoped, 'stable'], pnpm: ['dist-tag', 'rm', scoped, 'stable'], yarn: ['npm', 'tag', 'remove', scoped, 'stable'], yarn1: ['tag', 'remove', scoped, 'stable'] } },
    { id: 'deprecate', in: keep, words: { npm: ['deprecate', `${scoped}@1.0.0`, 'use 1.1.0'], pnpm: ['deprecate', `${scoped}@1.0.0`, 'use 1.1.0'] } },
    { id: 'view the deprecation', in: keep, words: { npm: view(`${scoped}@1.0.0`, 'deprecated').npm, pnpm: view(`${scoped}@1.0.0`, 'deprecated').pnpm }, json: true },
    { id: 'undeprecate', in: keep, words: { npm: ['undeprecate', `${scoped}@1.0.0`], pnpm: ['undeprecate', `${scoped}@1.0.0`] } },
    { id: 'owner ls', in: keep, text: true, words: { npm: ['owner', 'ls', scoped], pnpm: ['owner', 'ls', scoped], yarn1: ['owner', 'list', scoped] } },
    { id: 'owner add', in: keep, code: { npm: 0, pnpm: 0, yarn1: 'fails' }, words: { npm: ['owner', 'add', 'bob', scoped], pnpm: ['owner', 'add', scoped, 'bob'], yarn1: ['owner', 'add', 'bob', plain] } },
    { id: 'owner rm', in: keep, code: { npm: 0, pnpm: 0, yarn1: 'fails' }, words: { npm: ['owner', 'rm', 'bob', scoped], pnpm: ['owner', 'rm', scoped, 'bob'], yarn1: ['owner', 'remove', 'bob', plain] } },
    { id: 'access', in: keep, json: true, words: { npm: ['access', 'get', 'status', scoped, '--json'], pnpm: ['access', 'get', 'status', scoped, '--json'] } },
    { id: 'access list', in: keep, json: true, words: { npm: ['access', 'list', 'collaborators', scoped, '--json'], pnpm: ['access', 'list', 'collaborators', scoped, '--json'] } },
    { id: 'team create', in: keep, words: { npm: ['team', 'create', `${c}org:devs`], pnpm: ['team', 'create', `@${c}org:devs`] } },
    { id: 'team ls', in: keep, json: true, words: { npm: ['team', 'ls', `${c}org`, '--json'], pnpm: ['team', 'ls', `@${c}org`, '--json'] } },
    { id: 'org ls', in: keep, json: true, words: { npm: ['org', 'ls', `${c}org`, '--json'] } },
    { id: 'token list', in: keep, words: { npm: ['token', 'list', '--json'] } },
    { id: 'profile get', in: keep, words: { npm: ['profile', 'get', '--json'] } },
    { id: 'audit', in: keep, json: true, code: { npm: 1, pnpm: 1, yarn: 1, bun: 1, yarn1: 'fails' }, words: { npm: ['audit', '--json'], pnpm: ['audit', '--json'], yarn: ['npm', 'audit', '--json'], bun: ['audit', '--json'], yarn1: ['audit', '--json'] } },
    // npm asks Sigstore's repository of keys first, which is not on this machine.
    { id: 'audit signatures', in: () => path.join(client.folder, 'fresh'), words: { pnpm: ['audit', 'signatures'] } },
    { id: 'stage', in: tool(`@own/${c}-staged`, '1.0.0'), words: { npm: ['stage', 'publish'], pnpm: ['stage', 'publish', '--no-git-checks'], yarn: ['npm', 'publish', '--staged'] } },
    { id: 'stage list', in: keep, words: { npm: ['stage', 'list', '--json'], pnpm: ['stage', 'list', '--json'], yarn: ['npm', 'stage', 'list', '--json'] } },
    { id: 'unpublish a version', in: keep, words: { npm: ['unpublish', `${scoped}@1.1.0`, '--force'], pnpm: ['unpublish', `${scoped}@1.1.0`, '--force'] } },
    { id: 'view what is left', in: keep, json: true, words: { npm: view(scoped, 'versions').npm, pnpm: view(scoped, 'versions').pnpm } },
    { id: 'publish an unpublished version', in: tool(scoped, '1.1.0'), code: 'fails', words: { npm: publish.npm, pnpm: publish.pnpm } },
    { id: 'unpublish', in: keep, words: { npm: ['unpublish', plain, '--force'], pnpm: ['unpublish', plain, '--force'] } },
    { id: 'view the unpublished', in: keep, code: 'fails', words: { npm: view(plain).npm, pnpm: view(plain).pnpm } },
    { id: 'login', in: keep, login: true, words: { npm: ['login'], pnpm: ['login'], yarn: ['npm', 'login', '--web-login'] } },
    { id: 'whoami after it', in: keep, text: true, words: { npm: ['whoami'], pnpm: ['whoami'], yarn: ['npm', 'whoami'] } },
    { id: 'logout', in: keep, words: { npm: ['logout'], pnpm: ['logout'], yarn: ['npm', 'logout'] } },
    { id: 'publish without a token', in: tool(`@own/${c}-other`, '1.0.0'), tokenless: true, code: 'fails', words: publish },
  ]
  return list.filter(step => step.words[c]).map(step => ({ ...step, words: step.words[c], code: typeof step.code === 'object' ? step.code[c] : step.code ?? 0 }))
}

/** The steps once the upstream is stopped, with nothing cached in the client. */
export function offline (client) {
  const keep = () => {
    const folder = path.join(client.folder, 'project')
    fs.rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true })
    client.forget()
    return folder
  }
  const again = () => {
    client.forget()
    fs.rmSync(path.join(client.folder, 'again'), { recursive: true, force: true })
    return client.project('again', MANIFEST)
  }
  const has = folder => fs.existsSync(path.join(folder, 'node_modules/up-0/package.json')) ? undefined : 'up-0 is not installed'
  const frozen = { npm: ['ci'], pnpm: ['install', '--frozen-lockfile'], yarn: ['install', '--immutable'], bun: ['install', '--frozen-lockfile'], yarn1: ['install', '--frozen-lockfile'] }
  return [
    { id: 'upstream stopped: install from the lockfile', in: keep, words: frozen[client.name], code: 0, check: has },
    { id: 'upstream stopped: install without one', in: again, words: ['install'], code: 0, check: has },
  ]
}
