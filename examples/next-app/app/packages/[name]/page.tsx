const packages = ['next', 'react', 'react-dom'];

export function generateStaticParams() {
  return packages.map((name) => ({ name }));
}

export default async function Package({ params }: { params: Promise<{ name: string }> }) {
  const { name } = await params;
  return <h1>{name}</h1>;
}
