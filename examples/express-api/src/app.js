import express from 'express';
import { z } from 'zod';

const NewNote = z.object({ text: z.string().min(1).max(280) });

/** The API over its own in-memory list of notes. */
export function createApp() {
  const notes = [];
  const app = express();
  app.use(express.json());

  app.get('/notes', (_request, response) => {
    response.json(notes);
  });

  app.post('/notes', (request, response) => {
    const parsed = NewNote.safeParse(request.body);
    if (!parsed.success) {
      response.status(400).json({ issues: parsed.error.issues.map((issue) => issue.message) });
      return;
    }
    const note = { id: notes.length + 1, ...parsed.data };
    notes.push(note);
    response.status(201).json(note);
  });

  return app;
}
