import { language } from '@coppice/ui';
import { afterEach, expect, it } from 'vitest';
import { authorText } from './firing-texts.ts';

afterEach(() => {
  language.value = 'en';
});

it('names the trigger as the author of its releases, with its cause, and admins by their names', () => {
  const all = () => [
    authorText('drift', 3),
    authorText('later-cause', 4),
    authorText('Ada', null),
    authorText('', null),
  ];
  expect(all()).toEqual([
    'the trigger (drift, no. 3)',
    'the trigger (later-cause, no. 4)',
    'Ada',
    'an unnamed admin',
  ]);
  language.value = 'zh';
  expect(all()).toEqual([
    '自动触发（漂移，第 3 次再训练）',
    '自动触发（later-cause，第 4 次再训练）',
    'Ada',
    '未知管理员',
  ]);
});
