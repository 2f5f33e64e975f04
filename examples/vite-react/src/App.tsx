import { useState } from 'react';

export function App() {
  const [installs, setInstalls] = useState(0);
  return (
    <main>
      <h1>dx + Vite + React</h1>
      <button type="button" onClick={() => setInstalls((n) => n + 1)}>
        installed {installs} {installs === 1 ? 'time' : 'times'}
      </button>
    </main>
  );
}
