import { expect, it } from 'vitest';
import { refuseDeepBody } from './body-nesting.ts';

const refused = (text: string) => {
  try {
    refuseDeepBody(null, null, new TextEncoder().encode(text));
    return false;
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'model-invalid' });
    return true;
  }
};
const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

it.each([
  ['a body with a model at the limit', `{"model":{"config":${lists(200)}}}`, false],
  ['one that nests deeper', `{"model":${lists(10_000)}}`, true],
  ['one that is cut short', '['.repeat(7_000_000), true],
  ['objects', '{"a":'.repeat(300), true],
  ['lists beside one another', `[${Array.from({ length: 5000 }, () => '[]').join()}]`, false],
  ['brackets in a text', JSON.stringify({ a: '['.repeat(1000) }), false],
  ['brackets in a text with quotes and backslashes', JSON.stringify({ a: `\\"${'['.repeat(1000)}` }), false],
  ['brackets after such a text', `["\\\\",${'['.repeat(1000)}`, true],
])('reads how deep JSON nests before it is parsed: %s', (_, text, expected) => {
  expect(refused(text)).toBe(expected);
});
