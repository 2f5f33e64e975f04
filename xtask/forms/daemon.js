// git's own server on a port of 127.0.0.1 for the repositories of generated projects.
'use strict'

const { spawn } = require('node:child_process')
const net = require('node:net')

const freePort = () => new Promise(resolve => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })
})

const isUp = port => new Promise(resolve => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.end(); resolve(true) })
  socket.on('error', () => resolve(false))
})

class Daemon {
  constructor (place) {
    this.place = place
  }

  /** Returns the address of the folder, and starts the server with the first one. */
  async address () {
    if (!this.port) {
      this.port = await freePort()
      const words = ['daemon', `--base-path=${this.place}`, '--export-all', '--listen=127.0.0.1', `--port=${this.port}`, this.place]
      this.process = spawn('git', words, { stdio: 'ignore' })
      for (let i = 0; i < 100 && !await isUp(this.port); i++) {
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
    return `git://127.0.0.1:${this.port}`
  }

  stop () {
    this.process?.kill()
  }
}

module.exports = { Daemon }
