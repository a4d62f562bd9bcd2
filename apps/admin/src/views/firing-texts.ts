import type { EventData, FiringCause } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';

type Ended = EventData['firing-ended'];
type Check = Ended['checks'][number];
type Hindrance = EventData['launch-hindered']['hindrances'][number];

const causeText = catalogue<Record<FiringCause, string>>(
  {
    'by-hand': 'by hand',
    drift: 'drift',
    floor: 'errors above the limit',
    schedule: 'schedule',
    'new-examples': 'new examples',
  },
  {
    'by-hand': '手动',
    drift: '漂移',
    floor: '错误率超限',
    schedule: '定时',
    'new-examples': '新样本',
  },
);

const hindranceText = catalogue<Record<Hindrance, string>>(
  {
    running: 'another retraining is in progress',
    'data-quality': 'data quality alarm',
    'cool-down': 'cool-down',
    'no-new-data': 'no new data since the last candidate was refused',
    budget: 'budget spent',
  },
  {
    running: '另一次再训练尚未结束',
    'data-quality': '数据质量异常',
    'cool-down': '处于冷却期',
    'no-new-data': '上一候选模型被拒绝后没有新数据',
    budget: '预算已用完',
  },
);

const checkText = catalogue<Record<Check, string>>(
  {
    recent: 'recent examples',
    discordant: 'devices better and worse off',
    older: 'older examples',
    class: 'single classes',
    group: 'single groups',
    'worst-tenth': 'the worst tenth of participants',
  },
  {
    recent: '近期样本',
    discordant: '变好与变差的设备',
    older: '较早样本',
    class: '单个类别',
    group: '单个分组',
    'worst-tenth': '表现最差的十分之一参与者',
  },
);

const endTexts = catalogue<Record<Ended['outcome'], (candidate: string, checks: string) => string>>(
  {
    released: (candidate) => `${candidate} is in production.`,
    refused: (candidate, checks) =>
      checks === ''
        ? `${candidate} was refused: too few participants could compare it.`
        : `${candidate} was refused by the comparison: ${checks}.`,
    'rolled-back': (candidate) => `The canary ${candidate} was taken back; production is unchanged.`,
    'budget-spent': () => 'The privacy budget does not cover a comparison; production is unchanged.',
    'run-paused': () => 'The coordinator paused its run, then stopped it; production is unchanged.',
    'run-stalled': () => 'Its run completed no round for too long and was stopped; production is unchanged.',
    'run-ended': () => 'Its run made no model to release; production is unchanged.',
    overtaken: () => 'An admin moved a release channel meanwhile.',
  },
  {
    released: (candidate) => `${candidate} 已成为生产模型。`,
    refused: (candidate, checks) =>
      checks === '' ? `${candidate} 被拒绝：能够比较的参与者过少。` : `${candidate} 未通过比较：${checks}。`,
    'rolled-back': (candidate) => `灰度模型 ${candidate} 已撤回，生产模型不变。`,
    'budget-spent': () => '隐私预算不足以进行比较，生产模型不变。',
    'run-paused': () => '其训练被协调器暂停后停止，生产模型不变。',
    'run-stalled': () => '其训练长时间未完成任何一轮，已被停止；生产模型不变。',
    'run-ended': () => '其训练未产生可发布的模型，生产模型不变。',
    overtaken: () => '期间有管理员移动了发布渠道。',
  },
);

const authorTexts = catalogue(
  {
    between: ', ',
    unnamed: 'an unnamed admin',
    trigger: (cause: string, firing: string) => `the trigger (${cause}, no. ${firing})`,
  },
  {
    between: '、',
    unnamed: '未知管理员',
    trigger: (cause, firing) => `自动触发（${cause}，第 ${firing} 次再训练）`,
  },
);

/** A list of causes of a retraining. */
export function causeList(causes: readonly FiringCause[]): string {
  return causes.map((cause) => causeText()[cause]).join(authorTexts().between);
}

export function hindranceList(hindrances: readonly Hindrance[]): string {
  return hindrances.map((hindrance) => hindranceText()[hindrance]).join(authorTexts().between);
}

/**
 * The author of a release.
 *
 * @param firing the number of the firing that made it, whose cause `name` is; null: an admin of that name did.
 */
export function authorText(name: string, firing: number | null): string {
  const t = authorTexts();
  if (firing === null) return name || t.unnamed;
  const causes = causeText();
  const cause = Object.hasOwn(causes, name) ? causes[name as FiringCause] : name;
  return t.trigger(cause, formatNumber(firing));
}

/** The end of a retraining, as a sentence. */
export function endText(outcome: Ended['outcome'], candidate: string, checks: readonly Check[]): string {
  return endTexts()[outcome](
    candidate,
    checks.map((check) => checkText()[check]).join(authorTexts().between),
  );
}
