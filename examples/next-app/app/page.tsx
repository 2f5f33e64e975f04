import Link from 'next/link';

export default function Home() {
  return (
    <main>
      <h1>dx + Next.js</h1>
      <Link href="/packages/react">react</Link>
    </main>
  );
}
