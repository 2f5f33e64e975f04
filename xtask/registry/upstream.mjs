// A registry of generated packages on a port of 127.0.0.1, which a registry under test has as its upstream: forty packages that
// need each other, one with a scope, one with a command, one with a known vulnerability. Its versions are signed.
import { createRequire } from 'node:module'
import crypto from 'node:crypto'
import http from 'node:http'
import zlib from 'node:zlib'

const { filesOf, pack } = createRequire(import.meta.url)('../installs/registry.js')

const SHORT = 'application/vnd.npm.install-v1+json'
const ADVISORY = { id: 1001, url: 'https://advisories.example/1001', title: 'it can be made to wait', severity: 'high', vulnerable_versions: '<1.1.0' }
const FIELDS = ['name', 'version', 'dependencies', 'bin', 'engines', 'dist', 'deprecated']

/** The manifests of the upstream's packages. */
function manifests () {
  const all = []
  for (let at = 0; at < 40; at++) {
    const needs = [at * 2 + 1, at * 2 + 2].filter(other => other < 40)
    for (const version of ['1.0.0', '1.1.0', '2.0.0']) {
      all.push({
        name: `up-${at}`, version, description: `package ${at}`, license: 'MIT',
        dependencies: Object.fromEntries(needs.map(other => [`up-${other}`, '^1.0.0'])),
      })
    }
  }
  all.push({ name: '@up/scoped', version: '1.0.0', license: 'MIT', dependencies: { 'up-7': '^1.0.0' } })
  all.push({ name: 'up-command', version: '1.0.0', license: 'MIT', bin: { 'up-command': 'cli.js' } })
  all.push({ name: 'up-vulnerable', version: '1.0.0', license: 'MIT' }, { name: 'up-vulnerable', version: '1.1.0', license: 'MIT' })
  return all
}

export class Upstream {
  constructor () {
    this.documents = new Map()
    this.tarballs = new Map()
    this.key = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.spki = this.key.publicKey.export({ type: 'spki', format: 'der' })
    this.keyid = `SHA256:${crypto.createHash('sha256').update(this.spki).digest('base64').replace(/=+$/, '')}`
    this.server = http.createServer((request, response) => this.answer(request, response))
  }

  async start () {
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${this.server.address().port}/`
    for (const manifest of manifests()) {
      this.add(manifest)
    }
    return this
  }

  /** Publishes a version; `data` is the text of one more file of it. */
  add (manifest, data) {
    const { name, version } = manifest
    const files = filesOf(manifest)
    if (data) {
      files['data.txt'] = { text: data, mode: 0o644 }
    }
    const tarball = pack(files)
    const path = `/${name}/-/${name.split('/').pop()}-${version}.tgz`
    this.tarballs.set(path, tarball)
    const digest = (kind, form) => crypto.createHash(kind).update(tarball).digest(form)
    const dist = { integrity: `sha512-${digest('sha512', 'base64')}`, shasum: digest('sha1', 'hex'), tarball: this.url + path.slice(1) }
    const signed = crypto.sign('sha256', Buffer.from(`${name}@${version}:${dist.integrity}`), this.key.privateKey)
    dist.signatures = [{ keyid: this.keyid, sig: signed.toString('base64') }]
    const document = this.documents.get(name) ?? { _id: name, name, 'dist-tags': {}, versions: {}, time: { created: '2020-01-01T00:00:00.000Z' } }
    document['dist-tags'].latest = version
    document.versions[version] = { ...manifest, _id: `${name}@${version}`, dist }
    document.time[version] = document.time.modified = '2020-01-02T00:00:00.000Z'
    this.documents.set(name, document)
  }

  /** From now on connections are refused. */
  stop () {
    this.server.closeAllConnections()
    return new Promise(resolve => this.server.close(resolve))
  }

  answer (request, response) {
    const { pathname, searchParams } = new URL(request.url, this.url)
    const path = decodeURIComponent(pathname)
    const send = (status, value, headers = {}) => {
      const body = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    if (path === '/-/npm/v1/security/advisories/bulk') {
      const parts = []
      request.on('data', part => parts.push(part))
      request.on('end', () => {
        let body = Buffer.concat(parts)
        body = JSON.parse(request.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(body) : body)
        send(200, body['up-vulnerable'] ? { 'up-vulnerable': [ADVISORY] } : {})
      })
      return
    }
    request.resume()
    if (path === '/-/npm/v1/keys') {
      const kind = 'ecdsa-sha2-nistp256'
      return send(200, { keys: [{ keyid: this.keyid, keytype: kind, scheme: kind, key: this.spki.toString('base64'), expires: null }] })
    }
    if (path === '/-/v1/search') {
      const text = searchParams.get('text') ?? ''
      const found = [...this.documents.values()].filter(document => document.name.includes(text)).map(document => {
        const latest = document.versions[document['dist-tags'].latest]
        return { package: { name: latest.name, version: latest.version, description: latest.description, date: document.time.modified, keywords: [], links: {}, publisher: { username: 'someone' }, maintainers: [{ username: 'someone' }] }, score: { final: 1, detail: {} }, searchScore: 1 }
      })
      return send(200, { objects: found, total: found.length, time: 'now' })
    }
    const tarball = this.tarballs.get(path)
    if (tarball) {
      return send(200, tarball, { 'content-type': 'application/octet-stream' })
    }
    const document = this.documents.get(path.slice(1))
    if (!document) {
      return send(404, { error: 'not found' })
    }
    const etag = `"${crypto.createHash('sha1').update(JSON.stringify(document)).digest('hex')}"`
    if (request.headers['if-none-match'] === etag) {
      return response.writeHead(304, { etag }).end()
    }
    if (!(request.headers.accept ?? '').includes(SHORT)) {
      return send(200, document, { etag })
    }
    const versions = Object.entries(document.versions).map(([version, manifest]) =>
      [version, Object.fromEntries(FIELDS.filter(field => field in manifest).map(field => [field, manifest[field]]))])
    const short = { name: document.name, 'dist-tags': document['dist-tags'], modified: document.time.modified, versions: Object.fromEntries(versions) }
    send(200, short, { etag, 'content-type': SHORT })
  }
}
