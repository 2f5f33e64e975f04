import { slug } from './slug';

describe('slug', () => {
  it.each([
    ['Hello, World!', 'hello-world'],
    ['  Crème brûlée ', 'creme-brulee'],
    ['', ''],
  ])('%j becomes %j', (title, expected) => {
    expect(slug(title)).toBe(expected);
  });
});
