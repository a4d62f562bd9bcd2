import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/* Chinese is set with full-width punctuation, wherever people read it. */

const HAN = '[\\u4e00-\\u9fff]';
/** Half-width marks that touch a Han character, a space between them or not. A code's `)` or `.x` is none. */
const halfWidth = new RegExp(`${HAN} ?[,;:?!()]|[,;:?!()] ?${HAN}|${HAN}\\.(?![\\w.])|${HAN}\\.\\.\\.`, 'u');

/** String literals of a source, the expressions in templates left out. */
function strings(source: string): string[] {
  return [...source.matchAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g)].map(([text]) =>
    text.slice(1, -1).replace(/\$\{[^{}]*\}/g, '0'),
  );
}

const sources = globSync('{apps,packages}/*/src/**/*.{ts,tsx}', { cwd: `${import.meta.dirname}/..` })
  .filter((file) => !/\.test\.tsx?$/.test(file))
  .map((file) => ({ file, source: readFileSync(`${import.meta.dirname}/../${file}`, 'utf8') }));

it('finds what it looks for, and only that', () => {
  for (const wrong of ['模型,数据', '写(见', '数字 (0', '好吗?', 'NaN, 这', '完成.', '连接...']) {
    expect(wrong).toMatch(halfWidth);
  }
  for (const right of ['模型，数据（0 到 9）。', 'FedAvg（1.5，x）', '到 130%，取 0.5']) {
    expect(right).not.toMatch(halfWidth);
  }
});

it('Chinese text has no half-width punctuation beside a Han character', () => {
  const chinese = sources.flatMap(({ file, source }) =>
    strings(source)
      .filter((text) => new RegExp(HAN, 'u').test(text))
      .map((text) => ({ file, text })),
  );
  // Both pages, the plan's fields and the tasks: were there far fewer, the search itself would be broken.
  expect(chinese.length).toBeGreaterThan(300);
  expect(chinese.filter(({ text }) => halfWidth.test(text))).toEqual([]);
});
