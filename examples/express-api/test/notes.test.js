import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import request from 'supertest';
import { createApp } from '../src/app.js';

let server;
let base;

before(async () => {
  server = createApp().listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

test('a note that is posted is listed', async () => {
  const created = await fetch(`${base}/notes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'installed with dx' }),
  });
  assert.equal(created.status, 201);
  const listed = await (await fetch(`${base}/notes`)).json();
  assert.deepEqual(listed, [{ id: 1, text: 'installed with dx' }]);
});

test('an empty note is refused', async () => {
  const response = await request(base).post('/notes').send({ text: '' });
  assert.equal(response.status, 400);
  assert.equal(response.body.issues.length, 1);
});
