// DXRP through what stands before registries: nginx with TLS and HTTP/2, which passes no upgrade, and dx-registry's own TLS.
//   node proxies.mjs --server DX_REGISTRY --dx DX [--nginx PROGRAM] [--keep]
// A project is installed with DXRP and with HTTP alone; lockfile and tree must be equal, and the server's counters must say that
// DXRP was used.
import assert from 'node:assert'
import crypto from 'node:crypto'
import fs from 'node:fs'
import http2 from 'node:http2'
import os from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { parseArgs } from 'node:util'
import { Dx, KINDS, PATH, Recorder, messages, result, upgraded } from './dxrp.mjs'
import { Nginx, certificates } from './nginx.mjs'
import { DxRegistry, freePort } from './servers.mjs'
import { Upstream } from './upstream.mjs'

const { values: options } = parseArgs({ options: { server: { type: 'string' }, dx: { type: 'string' }, nginx: { type: 'string', default: 'nginx' }, keep: { type: 'boolean' } } })
const place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dx-proxies-')))
const [binary, dx] = [path.resolve(options.server), path.resolve(options.dx)]
const tlsFiles = certificates(path.join(place, 'tls'))
const upstream = await new Upstream().start()
const large = crypto.randomBytes(400_000).toString('base64')
upstream.add({ name: 'up-large', version: '1.0.0', license: 'MIT' }, large)
upstream.add({ name: 'up-large', version: '1.1.0', license: 'MIT' }, `${large}and a line more\n`)
const manifest = { name: 'project', version: '1.0.0', dependencies: { 'up-0': '^1.0.0', '@up/scoped': '^1.0.0', 'up-command': '*', 'up-large': '1.0.0' } }
const updated = { ...manifest, dependencies: { ...manifest.dependencies, 'up-large': '1.1.0' } }
let faults = 0

async function check (what, work) {
  try {
    console.log(`right  ${what}: ${await work()}`)
  } catch (error) {
    faults++
    console.log(`WRONG  ${what}: ${error.message}`)
  }
}

/** Installs a project and an update of it, over DXRP and over HTTP; returns what the server counted for DXRP. */
async function compared (name, server, registry, settings) {
  const results = {}
  const before = await server.metrics()
  let counted
  for (const dxrp of ['required', 'off']) {
    const client = new Dx(dx, path.join(place, name, dxrp), { registry, dxrp, ...settings })
    const all = []
    for (const project of [manifest, updated]) {
      const { code, said, project: folder } = await client.install(project)
      assert.equal(code, 0, `dxrp=${dxrp}: ${said}`)
      all.push(result(folder))
    }
    results[dxrp] = all
    if (dxrp === 'required') {
      const after = await server.metrics()
      counted = Object.fromEntries(['requests', 'packages', 'deltas', 'refused', 'missing'].map(figure => [figure, after[`dxrp_${figure}_total`] - before[`dxrp_${figure}_total`]]))
    }
  }
  assert.deepEqual(results.required, results.off, 'lockfile or tree differ from those over HTTP')
  assert.ok(counted.packages > 20 && counted.deltas === 1, `DXRP was not used: ${JSON.stringify(counted)}`)
  assert.equal(counted.refused + counted.missing, 0)
  return `${counted.requests} requests, ${counted.packages} packages, ${counted.deltas} difference; lockfile and tree (${results.off[0].split('\n').length} files) as over HTTP`
}

// What dx asks, as bytes.
const plain = new DxRegistry(binary, path.join(place, 'plain'))
await plain.start(upstream.url)
const recorder = await new Recorder(plain.url).start()
await check('without anything between', () => compared('plain', plain, plain.url, {}))
await check('a relay without upgrades', () => compared('relay', plain, recorder.url, {}))
await plain.kill()

const behind = new DxRegistry(binary, path.join(place, 'behind'))
const port = await freePort()
const address = `https://127.0.0.1:${port}/`
await behind.start(upstream.url, undefined, { words: ['--public-url', address] })
const nginx = await new Nginx(options.nginx, path.join(place, 'nginx'), port, `listen 127.0.0.1:${port} ssl http2;
ssl_certificate ${tlsFiles.certificate};
ssl_certificate_key ${tlsFiles.key};
location / { proxy_pass ${behind.url}; proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off; }`).start()
await check('nginx with TLS and HTTP/2', async () => {
  const said = await compared('nginx', behind, address, { cafile: tlsFiles.authority })
  const asked = nginx.requests().filter(line => line.includes(PATH))
  const posts = asked.filter(line => line.endsWith(` POST ${PATH} 200 -`))
  assert.ok(posts.length >= 2, `no request of DXRP: ${asked.join('; ')}`)
  assert.ok(!asked.some(line => / 101 /.test(line)), 'nginx switched protocols')
  return `${said}; nginx passed ${posts.length} POST over ${posts[0].split(' ')[0]}`
})
await check('an HTTP/2 client through nginx', async () => {
  // dx itself speaks HTTP/1.1; others that carry its frames may not.
  const whole = recorder.requests.find(bytes => messages(bytes).some(({ kind }) => kind === KINDS.want))
  const session = http2.connect(address, { ca: fs.readFileSync(tlsFiles.authority) })
  const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/vnd.dxrp' })
  const parts = []
  stream.on('data', part => parts.push(part))
  stream.end(whole)
  await new Promise((resolve, reject) => { stream.on('end', resolve); stream.on('error', reject); session.on('error', reject) })
  session.destroy()
  const all = messages(Buffer.concat(parts))
  const packages = all.filter(({ kind }) => kind === 0x12).length
  assert.ok(packages > 0 && all.at(-1).kind === KINDS.end, `the answer is ${all.map(({ kind }) => kind)}`)
  assert.ok(nginx.requests().includes(`HTTP/2.0 POST ${PATH} 200 -`), 'nginx did not see HTTP/2')
  return `${packages} packages`
})
await check('nginx with a certificate that dx does not know', async () => {
  const { code, said } = await new Dx(dx, path.join(place, 'stranger'), { registry: address, dxrp: 'required' }).install(manifest)
  assert.notEqual(code, 0)
  assert.match(said, /certificate/i)
  return 'refused'
})
await nginx.stop()
await behind.kill()

const own = new DxRegistry(binary, path.join(place, 'own'))
await own.start(upstream.url, undefined, { tls: tlsFiles })
await check("dx-registry's own TLS", () => compared('own', own, own.url, { cafile: tlsFiles.authority }))
await check("an upgrade over dx-registry's own TLS", async () => {
  const ca = fs.readFileSync(tlsFiles.authority)
  const plan = recorder.plan()
  const first = messages(recorder.requests.find(bytes => bytes.includes(plan.subarray(0, 32))))
  const asked = [plan, Buffer.concat(first.map(({ frames }) => frames))]
  const socket = tls.connect({ host: '127.0.0.1', port: own.port, ca, ALPNProtocols: ['http/1.1'] })
  const answers = await upgraded(socket, `127.0.0.1:${own.port}`, asked)
  const kinds = answers.map(({ bytes }) => messages(bytes).map(({ kind }) => kind))
  assert.deepEqual(kinds[0], [0x01, 0x10, 0x11, 0x1f], 'HELLO, KEY, PLAN, END')
  const packages = kinds[1].filter(kind => kind === 0x12).length
  assert.ok(packages > 0 && kinds[1].at(-1) === 0x1f)
  return `two requests on one connection: a plan, then a plan and ${packages} packages`
})
await own.kill()
await recorder.stop()
await upstream.stop()
if (faults === 0 && !options.keep) {
  fs.rmSync(place, { recursive: true, force: true })
} else {
  console.log(`kept: ${place}`)
}
process.exit(faults === 0 ? 0 : 1)
