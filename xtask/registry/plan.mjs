// One request against one request: the plan of a project over DXRP beside its packuments over HTTP and JSON, and beside a
// finished package-lock.json from nginx. Everything is in the caches of the servers before it is measured.
//   node plan.mjs --server DX_REGISTRY --dx DX --upstream URL [--fixture FILE] [--runs 20] [--nginx PROGRAM] [--out FILE]
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import zlib from 'node:zlib'
import { Dx, PATH, Recorder, messages, upgraded } from './dxrp.mjs'
import { Nginx } from './nginx.mjs'
import { DxRegistry, cpu, freePort } from './servers.mjs'

const names = ['server', 'dx', 'upstream', 'fixture', 'runs', 'nginx', 'out']
const { values: options } = parseArgs({ options: Object.fromEntries(names.map(name => [name, { type: 'string' }])) })
const runs = Number(options.runs ?? 20)
const place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dx-plan-')))
const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(fs.readFileSync(options.fixture, 'utf8'))
const manifest = { name: 'project', version: '1.0.0', dependencies, devDependencies, optionalDependencies, overrides }

const server = new DxRegistry(path.resolve(options.server), path.join(place, 'registry'))
server.env.DX_REGISTRY_CACHE__FRESH = '12h'
await server.start(options.upstream)
const recorder = await new Recorder(server.url).start()
const dx = new Dx(path.resolve(options.dx), path.join(place, 'client'), { registry: recorder.url, dxrp: 'required' })
const installed = await dx.install(manifest, { patience: 1_800_000 })
if (installed.code !== 0) {
  throw new Error(`dx install: ${installed.said}`)
}
const lockfile = fs.readFileSync(path.join(installed.project, 'package-lock.json'))
const plan = recorder.plan()
const packages = Object.entries(JSON.parse(lockfile).packages).filter(([at, entry]) => at && !entry.link)
const packuments = [...new Set(packages.map(([at, entry]) => entry.name ?? at.slice(at.lastIndexOf('node_modules/') + 13)))].sort()

/** How many answers have to be waited for one after the other, if every packument is asked for as soon as its name is known. */
function depth () {
  const entries = new Map(packages.map(([at, entry]) => [at.slice(at.lastIndexOf('node_modules/') + 13), entry]))
  const seen = new Set()
  let next = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })
  let levels = 0
  while (next.length > 0) {
    levels++
    next.forEach(name => seen.add(name))
    const needed = next.flatMap(name => { const entry = entries.get(name) ?? {}; return Object.keys({ ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies }) })
    next = [...new Set(needed)].filter(name => entries.has(name) && !seen.has(name))
  }
  return levels
}

/** Sends a request and reads the answer; returns how many bytes passed each way, heads included. */
const exchange = (agent, port, { method = 'GET', path, headers = {}, body }) => new Promise((resolve, reject) => {
  const asked = http.request({ host: '127.0.0.1', port, agent, method, path, headers }, answer => {
    let received = answer.rawHeaders.reduce((sum, text) => sum + text.length + 2, 17)
    answer.on('data', part => { received += part.length })
    answer.on('end', () => answer.statusCode === 200 ? resolve({ received, sent: asked._header.length + (body?.length ?? 0) }) : reject(new Error(`${path}: ${answer.statusCode}`)))
    answer.on('error', reject)
  })
  asked.on('error', reject)
  asked.end(body)
})

const median = numbers => [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)]

/** Repeats something; returns medians of its time and bytes, and the mean of the processor time of `process`. */
async function measured (name, process, repeat, requests, trips, once) {
  await once()
  const before = cpu(process)
  const times = []
  let bytes
  for (let run = 0; run < repeat; run++) {
    const begin = performance.now()
    bytes = await once()
    times.push(performance.now() - begin)
  }
  return { name, requests, trips, ...bytes, ms: median(times), cpu: (cpu(process) - before) / repeat }
}

const [single, many] = [1, 64].map(maxSockets => new http.Agent({ keepAlive: true, maxSockets }))
const rows = []
const post = { method: 'POST', path: PATH, headers: { host: recorder.host, 'content-type': 'application/vnd.dxrp', 'content-length': plan.length }, body: plan }
rows.push(await measured('DXRP, POST', server.process.pid, runs, 1, 1, () => exchange(single, server.port, post)))
rows.push(await measured('DXRP, a connection that has switched', server.process.pid, runs, 1, 1, async () => {
  const socket = net.connect({ host: '127.0.0.1', port: server.port, noDelay: true })
  const [, { bytes }] = await upgraded(socket, recorder.host, [plan, plan])
  const kinds = messages(bytes).map(({ kind }) => kind)
  if (kinds.join() !== '1,16,17,31') {
    throw new Error(`the answer is ${kinds}`)
  }
  return { sent: plan.length, received: bytes.length }
}))
// Two plans and the upgrade were asked for there: what counts is the second.
rows.at(-1).cpu /= 2
const times = []
for (let run = 0; run < runs; run++) {
  const [, { ms }] = await upgraded(net.connect({ host: '127.0.0.1', port: server.port, noDelay: true }), recorder.host, [plan, plan])
  times.push(ms)
}
rows.at(-1).ms = median(times)
const abbreviated = { host: recorder.host, accept: 'application/vnd.npm.install-v1+json', 'accept-encoding': 'gzip' }
const all = async agent => {
  const bytes = await Promise.all(packuments.map(name => exchange(agent, server.port, { path: `/${name.replace('/', '%2f')}`, headers: abbreviated })))
  return { sent: bytes.reduce((sum, one) => sum + one.sent, 0), received: bytes.reduce((sum, one) => sum + one.received, 0) }
}
const few = Math.max(1, Math.ceil(runs / 4))
rows.push(await measured('packuments, gzip, one connection', server.process.pid, few, packuments.length, packuments.length, () => all(single)))
rows.push(await measured('packuments, gzip, 64 connections', server.process.pid, few, packuments.length, `≥ ${depth()}`, () => all(many)))

const files = path.join(place, 'files')
fs.mkdirSync(files)
fs.writeFileSync(path.join(files, 'plain.json'), lockfile)
fs.writeFileSync(path.join(files, 'packed.json'), zlib.gzipSync(lockfile, { level: 6 }))
const port = await freePort()
const nginx = await new Nginx(options.nginx ?? 'nginx', path.join(place, 'nginx'), port, `listen 127.0.0.1:${port};
root ${files};
location = /packed.json { add_header Content-Encoding gzip; }`).start()
const worker = Number(fs.readFileSync(`/proc/${nginx.process.pid}/task/${nginx.process.pid}/children`, 'utf8').trim().split(' ')[0])
rows.push(await measured('package-lock.json from nginx', worker, runs, 1, 1, () => exchange(single, port, { path: '/plain.json' })))
rows.push(await measured('package-lock.json from nginx, gzip', worker, runs, 1, 1, () => exchange(single, port, { path: '/packed.json' })))
await nginx.stop()

const figures = await server.metrics()
const histogram = kept => {
  const of = figure => figures[`dxrp_plan_seconds_${figure}{kept="${kept}"}`]
  return of('count') ? `${of('count')} plans, ${(of('sum') / of('count') * 1000).toFixed(2)} ms on average` : 'none'
}
const integrities = new Set(packages.map(([, entry]) => entry.integrity)).size * 64
const answer = messages((await upgraded(net.connect(server.port, '127.0.0.1'), recorder.host, [plan]))[0].bytes)
const number = value => typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : value
const text = `${packages.length} packages, ${packuments.length} packuments; medians of ${runs} (of ${few} for packuments), loopback, caches filled.

| | requests | round trips | bytes sent | bytes received | wall ms | server CPU ms |
|---|---|---|---|---|---|---|
${rows.map(row => `| ${[row.name, row.requests, row.trips, row.sent, row.received, row.ms, row.cpu].map(number).join(' | ')} |`).join('\n')}

Server time of plans, from \`dxrp_plan_seconds\`: kept in memory: ${histogram('yes')}; made or checked: ${histogram('no')}.
Of the answer, PLAN is ${number(answer.find(({ kind }) => kind === 0x11).frames.length)} bytes, of which times of publication are ${number(packages.length * 8)} and integrities at least
${number(integrities)}; package-lock.json has ${number(lockfile.length)} bytes, compressed ${number(zlib.gzipSync(lockfile).length)}.
`
console.log(text)
options.out && fs.writeFileSync(options.out, text)
await recorder.stop()
await server.kill()
single.destroy()
many.destroy()
fs.rmSync(place, { recursive: true, force: true })
process.exit(0)
