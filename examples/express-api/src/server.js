import { createApp } from './app.js';

const server = createApp().listen(process.env.PORT ?? 3000, () => {
  console.log(`listening on port ${server.address().port}`);
});
