// nginx as people put it before a registry, with a certificate of an authority that is made for the run.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'

const run = (program, words, cwd) => {
  const ended = spawnSync(program, words, { cwd, encoding: 'utf8' })
  if (ended.status !== 0) {
    throw new Error(`${program} ${words.join(' ')}: ${ended.error ?? ended.stderr}`)
  }
}

/** Makes an authority and a certificate of it for 127.0.0.1; returns the paths of its certificate, and of the other with its key. */
export function certificates (folder) {
  fs.mkdirSync(folder, { recursive: true })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  fs.writeFileSync(path.join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n')
  run('openssl', ['req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=registry proof authority', '-addext', 'basicConstraints=critical,CA:TRUE'], folder)
  run('openssl', ['req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=127.0.0.1'], folder)
  run('openssl', ['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'server.pem'], folder)
  return { authority: path.join(folder, 'ca.pem'), certificate: path.join(folder, 'server.pem'), key: path.join(folder, 'server.key') }
}

export class Nginx {
  constructor (program, folder, port, server) {
    Object.assign(this, { program, folder, port })
    fs.mkdirSync(path.join(folder, 'temporary'), { recursive: true })
    this.access = path.join(folder, 'access.log')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/temporary/${name};`).join('\n')
    fs.writeFileSync(path.join(folder, 'nginx.conf'), `daemon off;
worker_processes 1;
error_log ${folder}/error.log;
pid ${folder}/pid;
events { worker_connections 1024; }
http {
${temporary}
log_format plain '$server_protocol $request_method $uri $status $http_upgrade';
access_log ${this.access} plain;
client_max_body_size 64m;
server {
${server}
}
}
`)
  }

  async start () {
    this.process = spawn(this.program, ['-p', this.folder, '-c', path.join(this.folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] })
    for (let tries = 0; tries < 200; tries++) {
      const open = await new Promise(resolve => {
        const socket = net.connect(this.port, '127.0.0.1', () => { socket.destroy(); resolve(true) })
        socket.on('error', () => resolve(false))
      })
      if (open) {
        return this
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new Error(`nginx does not listen; see ${this.folder}/error.log`)
  }

  /** The lines of its log, each a request that it has answered. */
  requests () {
    return fs.readFileSync(this.access, 'utf8').trim().split('\n')
  }

  stop () {
    const ended = new Promise(resolve => this.process.once('exit', resolve))
    return this.process.kill('SIGTERM') ? ended : undefined
  }
}
